//! The life of this process: it starts, serves, drains and stops.

use std::borrow::Cow;

use tokio::sync::watch;
use tokio::time::Instant;

/// The current phase of the process. `/readyz` reports this phase, and this phase decides when a stream ends.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Life {
    /// The socket answers health probes, but the store is not open yet. The text is the name of the current step.
    Starting(Cow<'static, str>),
    /// Every route is served.
    Serving,
    /// Every route is still served until the end of the drain. `/readyz` answers 503, so that load balancers send new
    /// requests to other nodes.
    Draining {
        /// The end of the drain.
        until: Instant,
    },
    /// No new connection is accepted. Requests in progress are answered.
    Stopping,
}

impl Life {
    /// Whether clients should move to another node.
    pub fn is_ending(&self) -> bool {
        matches!(self, Self::Draining { .. } | Self::Stopping)
    }
}

/// Resolves when one stream must end. During a drain this is a random moment, so that the clients of this node do not
/// all reconnect to other nodes at the same time. Without a drain, the stream ends when the process stops.
pub async fn end_of_stream(mut life: watch::Receiver<Life>) {
    // An error means that the sender is gone, so the stream ends too.
    let Ok(Life::Draining { until }) = life.wait_for(Life::is_ending).await.map(|life| life.clone()) else {
        return;
    };
    let rest = until.saturating_duration_since(Instant::now());
    tokio::select! {
        () = tokio::time::sleep(rest.mul_f64(rand::random())) => {}
        _ = life.wait_for(|life| *life == Life::Stopping) => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const DRAIN: Duration = Duration::from_secs(60);

    /// With `start_paused`, time advances automatically while every task waits.
    #[tokio::test(start_paused = true)]
    async fn b9_the_ends_of_streams_are_spread_over_the_drain() {
        let (life, watching) = watch::channel(Life::Serving);
        let streams: Vec<_> = (0..400).map(|_| tokio::spawn(end_of_stream(watching.clone()))).collect();
        tokio::time::sleep(DRAIN).await;
        assert!(
            streams.iter().all(|stream| !stream.is_finished()),
            "streams stay open while the node serves"
        );
        let began = Instant::now();
        life.send_replace(Life::Draining { until: began + DRAIN });
        let mut ended = [0; 4];
        for quarter in &mut ended {
            tokio::time::sleep(DRAIN / 4).await;
            *quarter = streams.iter().filter(|stream| stream.is_finished()).count();
        }
        // About 100 of the 400 streams end in each quarter of the drain. 70 is about 8 standard deviations of this
        // number.
        for (ended, expected) in ended.iter().zip([100_usize, 200, 300, 400]) {
            assert!(ended.abs_diff(expected) < 70, "{ended} of {expected}");
        }
        assert_eq!(ended[3], 400, "at the end of the drain none is left");
    }

    #[tokio::test(start_paused = true)]
    async fn b9_streams_end_at_once_if_the_drain_is_cut_short() {
        let (life, watching) = watch::channel(Life::Draining { until: Instant::now() + DRAIN });
        let streams: Vec<_> = (0..9).map(|_| tokio::spawn(end_of_stream(watching.clone()))).collect();
        let began = Instant::now();
        life.send_replace(Life::Stopping);
        for stream in streams {
            stream.await.expect("the stream ends");
        }
        assert_eq!(began.elapsed(), Duration::ZERO);
    }
}
