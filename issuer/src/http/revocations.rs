//! `/revocations`, and the event stream `/revocations/stream`.

use std::convert::Infallible;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, HeaderName, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use doorlist_verifier::Cursor;
use futures_util::stream;
use tokio::sync::watch;

use super::ApiError;
use super::strict::only;
use crate::app::App;
use crate::life::{Life, end_of_stream};
use crate::revocations::{Follower, Next, Revocations, SignedList};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// `GET /revocations`: answers with a snapshot. If the request has `?since=<epoch>:<seq>`, and a delta from this cursor
/// exists, answers with the delta. The parameter `fresh=<digits>` changes only the URL. A verifier adds `fresh` if a
/// cache repeatedly returns old lists.
pub(super) async fn list(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let held = asked_since(query.as_deref())?;
    let revocations = named(&app, &headers);
    let next = match revocations.next(held).map_err(unsigned)? {
        // The client's cursor is ahead of this node's position. Answer with the empty delta at this node's position.
        // The verifier's own position is newer. So the verifier treats this delta as a rollback and ignores the delta.
        Some(Next::Ahead) => revocations.next(revocations.position()).map_err(unsigned)?,
        next => next,
    };
    match next {
        Some(Next::List(list)) => Ok(answer(&app, &list, &headers)),
        Some(Next::Ahead) | None => Err(starting()),
    }
}

fn answer(app: &App, list: &SignedList, headers: &HeaderMap) -> Response {
    let says = |name: HeaderName, wanted: &str| {
        let values = headers.get_all(name);
        values.iter().filter_map(|value| value.to_str().ok()).any(|value| has_member(value, wanted))
    };
    let gzip = says(header::ACCEPT_ENCODING, "gzip");
    let ttl = app.revocations.ttl_secs();
    let hash = list.hash();
    // RFC 9110 §8.8.3.3: each encoding of a representation has an ETag of its own.
    let tags = [format!("\"{hash}\""), format!("\"{hash}-gzip\"")];
    let head = [
        (header::ETAG, tags[usize::from(gzip)].clone()),
        (
            header::CACHE_CONTROL,
            format!("public, max-age={ttl}, stale-while-revalidate={ttl}, stale-if-error={ttl}"),
        ),
        (header::VARY, "accept-encoding".to_owned()),
    ];
    if tags.iter().any(|tag| says(header::IF_NONE_MATCH, tag)) || says(header::IF_NONE_MATCH, "*") {
        return (StatusCode::NOT_MODIFIED, head).into_response();
    }
    let kind = [(header::CONTENT_TYPE, "application/jwt")];
    if gzip {
        (head, kind, [(header::CONTENT_ENCODING, "gzip")], list.gzip()).into_response()
    } else {
        (head, kind, list.jwt()).into_response()
    }
}

/// Whether a comma-separated header value contains this member. A weak ETag equals the strong ETag with the same text
/// (RFC 9110 §8.8.3.2). An encoding with weight 0 counts as missing (§12.4.2).
fn has_member(value: &str, wanted: &str) -> bool {
    value.split(',').map(str::trim).any(|member| {
        let (name, weight) = member.split_once(';').unwrap_or((member, ""));
        let refused = matches!(weight.trim(), "q=0" | "q=0.0" | "q=0.00" | "q=0.000");
        !refused && name.trim().strip_prefix("W/").unwrap_or(name.trim()).eq_ignore_ascii_case(wanted)
    })
}

/// `GET /revocations/stream`: sends Server-Sent Events with `id: <epoch>:<seq>` and `data: <list JWT>`. The client's
/// cursor is the header `Last-Event-ID` or, if this header is missing, the parameter `since`. The first event contains
/// the entries after this cursor.
pub(super) async fn follow(
    State(app): State<Arc<App>>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Response, ApiError> {
    let since = asked_since(query.as_deref())?;
    let last_event_id = only(&headers, LAST_EVENT_ID).map(|id| cursor(id.to_str().unwrap_or("not text")));
    let held = last_event_id.transpose()?.or(since);
    let follower = named(&app, &headers).follow(held).map_err(unsigned)?.ok_or_else(starting)?;
    let head = [
        (header::CONTENT_TYPE, "text/event-stream"),
        (header::CACHE_CONTROL, "no-store"),
        (HeaderName::from_static("x-accel-buffering"), "no"),
    ];
    Ok((head, Body::from_stream(events(follower, app.life.clone()))).into_response())
}

/// Sends every list as an event. The stream ends if the subscriber is too slow, or when the issuer drains or stops.
fn events(
    follower: Follower,
    life: watch::Receiver<Life>,
) -> impl stream::Stream<Item = Result<Bytes, Infallible>> {
    let end = Box::pin(end_of_stream(life));
    stream::unfold((follower, end), |(mut follower, mut end)| async move {
        let list = tokio::select! {
            biased;
            () = &mut end => None,
            list = follower.next() => list,
        };
        list.map(|list| (Ok(list.event()), (follower, end)))
    })
}

/// Parses the query. Each query has exactly one accepted spelling. With several spellings, a cache would store the same
/// answer several times, and a client could bypass the cache.
fn asked_since(query: Option<&str>) -> Result<Option<Cursor>, ApiError> {
    let Some(query) = query else { return Ok(None) };
    let (since, fresh) = match query.split_once("&fresh=") {
        Some((since, fresh)) => (Some(since), Some(fresh)),
        None => match query.strip_prefix("fresh=") {
            Some(fresh) => (None, Some(fresh)),
            None => (Some(query), None),
        },
    };
    if !fresh.is_none_or(is_number) {
        return Err(ApiError::invalid_request("fresh must be 1 to 20 decimal digits and come after since"));
    }
    let Some(since) = since else { return Ok(None) };
    cursor(since.strip_prefix("since=").unwrap_or_default()).map(Some)
}

fn is_number(text: &str) -> bool {
    (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

fn cursor(text: &str) -> Result<Cursor, ApiError> {
    text.parse().map_err(|_| {
        ApiError::invalid_request(
            "a cursor is <epoch>:<seq> as in the id of an event, with a colon that is not percent-encoded",
        )
    })
}

/// The list that the request gets. If the `Host` header contains a former name under which a list is still published,
/// this is the list under that former name. Otherwise it is the list under the current name.
fn named<'a>(app: &'a App, headers: &HeaderMap) -> &'a Revocations {
    app.former_name_of(headers).map_or(&app.revocations, |former| &former.revocations)
}

fn starting() -> ApiError {
    ApiError::unavailable("no revocation list is signed yet")
}

fn unsigned(error: doorlist_verifier::Error) -> ApiError {
    tracing::error!(%error, "a list was not served because the verifier refuses it");
    ApiError::unavailable("the revocation list cannot be signed now")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_of_a_header_s_list_is_found() {
        assert!(has_member("br, gzip;q=0.8", "gzip") && has_member("GZIP", "gzip"));
        assert!(
            !has_member("gzip;q=0, br", "gzip") && !has_member("xgzip", "gzip") && !has_member("", "gzip")
        );
        assert!(has_member("\"a\", W/\"b\"", "\"b\"") && !has_member("\"a\"", "\"b\""));
    }
}
