//! The connections to one Redis server.
//!
//! This module never sends a command twice. A failed connection is dropped, and the next caller makes a new
//! connection.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use redis::aio::{ConnectionLike, MultiplexedConnection};
use redis::{AsyncConnectionConfig, Cmd, Pipeline, Value, cmd};
use tokio::sync::{Mutex as AsyncMutex, Semaphore};
use tokio::time::{Instant, timeout};

use super::error::{Trouble, only};
use super::fitness::{Replicas, Replication, UNGUARDED};
use super::login::Login;
use super::url::Address;

/// Time limit for making a connection.
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
/// Time limit for an answer. The limit includes the time for commands that are queued before the request.
const ANSWER_LIMIT: Duration = Duration::from_secs(2);
/// The maximum time for which a write waits for a replica, in milliseconds.
const WAIT_MILLIS: u64 = 1000;
/// How many replicas must have a write before it is acknowledged.
const WAIT_REPLICAS: u64 = 1;
/// Maximum number of connections for writes that wait for replicas. While a write waits, no other caller uses its
/// connection.
const EXCLUSIVE: usize = 16;
/// A connection that was unused for this long is not used again, because network devices can drop unused connections
/// without notice.
const IDLE_LIMIT: Duration = Duration::from_secs(30);
/// Largest number of callers at the same time. Further callers are refused.
const CALLERS: usize = 4096;
/// How long the server waits for new entries before it answers without an entry.
const HELD_FOR: Duration = Duration::from_secs(5);

/// See the [module](self).
pub(super) struct Node {
    address: Address,
    login: Arc<Login>,
    callers: Semaphore,
    line: AsyncMutex<Option<Line>>,
    exclusive: Semaphore,
    idle: Mutex<Vec<Idle>>,
    tail: Mutex<Option<MultiplexedConnection>>,
    replicas: Arc<Replicas>,
    /// Whether the error about `min-replicas-to-write` was already written to the log output.
    unguarded: AtomicBool,
}

/// The connection that is shared by all callers that do not wait for replicas.
#[derive(Clone)]
struct Line {
    connection: MultiplexedConnection,
    /// A number that distinguishes this connection from earlier connections.
    number: u64,
}

/// A connection that is not in use.
struct Idle {
    connection: MultiplexedConnection,
    since: Instant,
}

impl Node {
    pub(super) fn new(address: Address, login: Arc<Login>, replicas: Arc<Replicas>) -> Self {
        Self {
            address,
            login,
            callers: Semaphore::new(CALLERS),
            line: AsyncMutex::default(),
            exclusive: Semaphore::new(EXCLUSIVE),
            idle: Mutex::default(),
            tail: Mutex::default(),
            replicas,
            unguarded: AtomicBool::new(false),
        }
    }

    pub(super) fn address(&self) -> &Address {
        &self.address
    }

    /// Sends these commands together. The server runs the commands in their order. Returns one answer for each command.
    /// An answer can be an error of the server.
    pub(super) async fn ask(&self, commands: &Pipeline) -> Result<Vec<Value>, Trouble> {
        let _admitted = self.callers.try_acquire().map_err(|_| Trouble::Crowded)?;
        let Line { mut connection, number } = self.line().await?;
        let asked = ask(&mut connection, commands).await;
        if asked.as_ref().map_or(true, |answers| come_from_a_replica(answers)) {
            self.hang_up(number).await;
        }
        asked
    }

    /// Does the same as [`Self::ask`]. If there are replicas, this call also waits until one replica has these
    /// writes, and fails if this takes too long.
    pub(super) async fn ask_replicated(&self, commands: &Pipeline) -> Result<Vec<Value>, Trouble> {
        if !self.has_replicas().await? {
            return self.ask(commands).await;
        }
        let _admitted = self.callers.try_acquire().map_err(|_| Trouble::Crowded)?;
        let _one_of_few = self.exclusive.acquire().await.map_err(|_| Trouble::Crowded)?;
        let idle = self.idle().pop().filter(|idle| idle.since.elapsed() < IDLE_LIMIT);
        let mut connection = match idle {
            Some(idle) => idle.connection,
            None => self.connect(Some(ANSWER_LIMIT)).await?,
        };
        // `WAIT` covers only the writes of its own connection. So `WAIT` is sent on the same connection as the
        // writes.
        let mut commands = commands.clone();
        commands.cmd("WAIT").arg(WAIT_REPLICAS).arg(WAIT_MILLIS);
        // If the request fails or its future is dropped, the connection is not used again. Otherwise a later caller
        // could read the answer to this request.
        let mut answers = ask(&mut connection, &commands).await?;
        if !come_from_a_replica(&answers) {
            self.idle().push(Idle { connection, since: Instant::now() });
        }
        let replicas = answers.pop();
        // A refused command wrote nothing, so there is no write for a replica to confirm. The server's answer says
        // why the command was refused.
        if answers.iter().any(|answer| matches!(answer, Value::ServerError(_))) {
            return Ok(answers);
        }
        match only(replicas)? {
            Value::Int(count) if count.unsigned_abs() >= WAIT_REPLICAS => Ok(answers),
            _ => Err(Trouble::Unreplicated),
        }
    }

    /// Whether writes must wait for a replica.
    pub(super) async fn has_replicas(&self) -> Result<bool, Trouble> {
        // The first request on each new shared connection asks the server about replicas.
        self.line().await?;
        Ok(self.replicas.are_expected())
    }

    /// Waits for a new entry in a stream. The server can take a long time to answer. So this call uses a connection of
    /// its own, which no other caller uses at the same time.
    pub(super) async fn wait_for_stream(&self, stream: &str, after: u64) -> Result<(), Trouble> {
        let held = self.tail.lock().unwrap_or_else(PoisonError::into_inner).take();
        let mut connection = match held {
            Some(connection) => connection,
            None => self.connect(None).await?,
        };
        let mut read = cmd("XREAD");
        read.arg("COUNT").arg(1).arg("BLOCK").arg(u64::try_from(HELD_FOR.as_millis()).unwrap_or(u64::MAX));
        read.arg("STREAMS").arg(stream).arg(format!("{after}-0"));
        let answer = timeout(HELD_FOR + ANSWER_LIMIT, connection.req_packed_command(&read));
        only([answer.await.map_err(|_| Trouble::Late)??])?;
        *self.tail.lock().unwrap_or_else(PoisonError::into_inner) = Some(connection);
        Ok(())
    }

    /// The server's answer to `INFO`.
    pub(super) async fn info(&self) -> Result<String, Trouble> {
        let info = only(self.ask(&alone(&cmd("INFO"))).await?)?;
        Ok(redis::from_redis_value(info)?)
    }

    /// Asks the server whether replicas were added or removed.
    pub(super) async fn notice_replicas(&self) -> Result<(), Trouble> {
        self.note_replication(only(self.ask(&alone(&replication())).await?)?)
    }

    fn note_replication(&self, info: Value) -> Result<(), Trouble> {
        let replication = Replication::read(&redis::from_redis_value::<String>(info)?);
        self.replicas.note(&replication);
        let unguarded = self.replicas.are_expected() && !replication.is_guarded();
        if unguarded && !self.unguarded.swap(unguarded, Ordering::AcqRel) {
            tracing::error!(address = %self.address, "this Redis is expected to have replicas, and {UNGUARDED}");
        }
        Ok(())
    }

    async fn line(&self) -> Result<Line, Trouble> {
        let mut held = self.line.lock().await;
        if let Some(line) = &*held {
            return Ok(line.clone());
        }
        // The shared connection is gone, so the idle connections are most likely broken too.
        self.idle().clear();
        let mut connection = self.connect(Some(ANSWER_LIMIT)).await?;
        self.note_replication(only(ask(&mut connection, &alone(&replication())).await?)?)?;
        let line = Line { connection, number: rand::random() };
        *held = Some(line.clone());
        Ok(line)
    }

    /// Drops the shared connection with this number, so that the next caller makes a new connection. Does nothing if
    /// that connection was already replaced.
    async fn hang_up(&self, number: u64) {
        let mut held = self.line.lock().await;
        if held.as_ref().is_some_and(|line| line.number == number) {
            *held = None;
        }
    }

    async fn connect(&self, answer_limit: Option<Duration>) -> Result<MultiplexedConnection, Trouble> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECT_LIMIT))
            .set_response_timeout(answer_limit);
        let client = self.login.client(&self.address).await?;
        Ok(client.get_multiplexed_async_connection_with_config(&config).await?)
    }

    fn idle(&self) -> std::sync::MutexGuard<'_, Vec<Idle>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn replication() -> Cmd {
    let mut info = cmd("INFO");
    info.arg("replication");
    info
}

fn alone(command: &Cmd) -> Pipeline {
    let mut pipeline = Pipeline::with_capacity(2);
    pipeline.add_command(command.clone());
    pipeline
}

async fn ask(connection: &mut MultiplexedConnection, commands: &Pipeline) -> Result<Vec<Value>, Trouble> {
    Ok(connection.req_packed_commands(commands, 0, commands.len()).await?)
}

/// Whether the answer of the server says that the server is a replica. In this case the host name, proxy or "primary
/// endpoint" may lead to another server now. Only a new connection reaches the other server.
fn come_from_a_replica(answers: &[Value]) -> bool {
    answers.iter().any(|answer| matches!(answer, Value::ServerError(error) if error.code() == "READONLY"))
}
