//! Random histories with all kinds of events for a verifier: lists of any age, order and epoch, caches that deliver old
//! lists again, clocks that jump, keys that are added and removed, and tokens of any age. Each time is a multiple of
//! ten seconds, or one second more or less. So different times are often equal.
//!
//! `PROPTEST_CASES=100000 cargo test --package doorlist-verifier --test verifier` runs this number of histories. The
//! default is 256.

use std::ops::Range;

use doorlist_verifier::{MissingListPolicy, Options, StalePolicy, VettedClaims};
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use serde_json::json;

use crate::support::*;

mod past;
mod world;

pub use past::{Listed, Past};
pub use world::{Asked, Happened, World};

/// The inputs of a verifier, and the times at which tokens are checked.
#[derive(Debug, Clone)]
pub struct History {
    pub options: Options,
    /// The number of tokens that the verifier remembers.
    pub capacity: usize,
    pub tokens: Vec<Token>,
    pub events: Vec<Event>,
}

#[derive(Debug, Clone)]
pub enum Event {
    Ask(usize),
    /// Time passes until one of a token's limits, or until one second before or after this limit. If that moment is in
    /// the past, no time passes. Then all tokens are checked.
    AskAt {
        number: usize,
        limit: Limit,
        beside: i64,
    },
    /// Time passes. If `off` is set, the wall clock is first set to the true time plus `off` seconds.
    Pass {
        secs: u64,
        off: Option<i64>,
    },
    Load(Draft),
    /// A list that was delivered before is delivered again.
    Replay(usize),
    /// A key set from another source, which may contain a dropped key.
    AddKey(u8),
}

/// The `iat` of a list, as a number of seconds after a base time.
#[derive(Debug, Clone, Copy)]
enum When {
    Now(i64),
    /// The base time is the `exp` of this token.
    Expiry(usize, i64),
    /// The base time is the end of the time for which this handle must be held ([`Past::kept_until`]).
    Leaving(u64, i64),
}

#[derive(Debug, Clone, Copy)]
pub enum Limit {
    Expiry,
    Leeway,
    Grace,
    Outage,
}

/// The properties of a token that decide whether it is accepted.
#[derive(Debug, Clone, Copy)]
pub struct Token {
    pub iat: u64,
    pub exp: u64,
    pub nbf: Option<u64>,
    pub gid: u64,
    pub sid: u64,
    pub key: u8,
    /// The token's text is damaged, so the token is never valid.
    pub is_broken: bool,
}

/// A list without a sequence number. The number is chosen later, because it depends on the sequence number that the
/// verifier holds at that moment.
#[derive(Debug, Clone)]
pub struct Draft {
    is_delta: bool,
    epoch: u64,
    ahead: u64,
    iat: When,
    revoked: Vec<u64>,
    /// The cut-off, in seconds after [`NOW`].
    cutoff: Option<i64>,
    keys: Option<Vec<u8>>,
    signer: u8,
    retain: u64,
    ttl: u64,
    leeway: u64,
}

const TOKENS: usize = 6;
/// The handles that tokens use as `gid` and `sid`. Lists revoke the same handles.
const GROUPS: Range<u64> = 1..5;
const SESSIONS: Range<u64> = 5..12;
const HANDLES: Range<u64> = 1..12;

pub fn history() -> impl Strategy<Value = History> {
    let first = draft().prop_map(|draft| Event::Load(Draft { is_delta: false, signer: 1, ..draft }));
    let events = (first, vec(event(), 1..24)).prop_map(|(first, others)| [vec![first], others].concat());
    (options_of_any_kind(), 0_usize..TOKENS, vec(token(), TOKENS), events)
        .prop_map(|(options, capacity, tokens, events)| History { options, capacity, tokens, events })
}

/// A history without the outage grace.
pub fn history_without_grace() -> impl Strategy<Value = History> {
    history().prop_map(|history| {
        let options = Options { outage_grace_secs: None, ..history.options };
        History { options, ..history }
    })
}

/// A history without the outage grace, on a host whose clock is right. Each list is this number of seconds old when it
/// is first delivered. The `iat` and `exp` of all tokens are earlier by the same number of seconds than in other
/// histories.
pub fn history_of_old_lists(seconds: i64) -> impl Strategy<Value = History> {
    history_without_grace().prop_map(move |mut history| {
        for token in &mut history.tokens {
            token.iat -= seconds.unsigned_abs();
            token.exp -= seconds.unsigned_abs();
        }
        for event in &mut history.events {
            match event {
                Event::Load(draft) => draft.iat = When::Now(-seconds),
                Event::Pass { off, .. } => *off = None,
                _ => {}
            }
        }
        history
    })
}

fn options_of_any_kind() -> impl Strategy<Value = Options> {
    let policies = (prop::bool::weighted(0.2), any::<bool>(), option::weighted(0.8, seconds(0..40)));
    (policies, option::of(seconds(0..12))).prop_map(|((stale, missing, grace), tolerance)| Options {
        clock_tolerance_secs: tolerance,
        max_staleness_secs: stale.then_some(200),
        on_stale: if stale { StalePolicy::Deny } else { StalePolicy::Allow },
        on_missing: if missing { MissingListPolicy::Allow } else { MissingListPolicy::Deny },
        outage_grace_secs: grace,
        ..options()
    })
}

fn token() -> impl Strategy<Value = Token> {
    let times = (around(-20..10), seconds(1..40), option::weighted(0.1, around(-20..20)));
    (times, GROUPS, SESSIONS, 1_u8..4, prop::bool::weighted(0.03)).prop_map(
        |((iat, life, nbf), gid, sid, key, is_broken)| {
            let iat = NOW.saturating_add_signed(iat);
            let nbf = nbf.map(|nbf| NOW.saturating_add_signed(nbf));
            Token { iat, exp: iat + life, nbf, gid, sid, key, is_broken }
        },
    )
}

fn event() -> impl Strategy<Value = Event> {
    let off = prop_oneof![
        4 => Just(0),
        6 => around(-100..100),
        1 => (-2_i64..=2).prop_map(|days| days * 86_400),
    ];
    let limit = prop::sample::select(vec![Limit::Expiry, Limit::Leeway, Limit::Grace, Limit::Outage]);
    prop_oneof![
        4 => (0..TOKENS).prop_map(Event::Ask),
        4 => (0..TOKENS, limit, -1_i64..=1).prop_map(|(number, limit, beside)| Event::AskAt { number, limit, beside }),
        4 => (seconds(0..12), option::weighted(0.3, off)).prop_map(|(secs, off)| Event::Pass { secs, off }),
        4 => draft().prop_map(Event::Load),
        1 => (0_usize..100).prop_map(Event::Replay),
        1 => (1_u8..4).prop_map(Event::AddKey),
    ]
}

fn draft() -> impl Strategy<Value = Draft> {
    let iat = prop_oneof![
        12 => Just(When::Now(0)),
        8 => around(-12..2).prop_map(When::Now),
        2 => around(-400..0).prop_map(When::Now),
        1 => (86_399_i64..=86_401).prop_map(When::Now),
        2 => (0..TOKENS, -1_i64..=1).prop_map(|(number, beside)| When::Expiry(number, beside)),
        4 => (HANDLES, 0_i64..=1).prop_map(|(number, beside)| When::Leaving(number, beside)),
    ];
    let order = (any::<bool>(), prop_oneof![9 => Just(1_u64), 1 => Just(2)], 0_u64..3, iat);
    let revoked = option::weighted(0.3, HANDLES).prop_map(Vec::from_iter);
    let cutoff = option::weighted(0.04, around(-20..10));
    let news = (revoked, cutoff, option::weighted(0.08, vec(1_u8..4, 1..4)));
    let signer = prop_oneof![4 => Just(1_u8), 1 => 1_u8..4];
    let retain = prop_oneof![1 => Just(60_u64), 1 => Just(300), 4 => Just(1020)];
    let words = (retain, 1_u64..30, seconds(0..8), signer);
    (order, news, words).prop_map(|(order, news, words)| {
        let ((is_delta, epoch, ahead, iat), (revoked, cutoff, keys)) = (order, news);
        let (retain, ttl, leeway, signer) = words;
        Draft { is_delta, epoch, ahead, iat, revoked, cutoff, keys, signer, retain, ttl, leeway }
    })
}

/// A multiple of ten seconds, or one second more or less.
fn seconds(tens: Range<u64>) -> impl Strategy<Value = u64> {
    (tens, beside()).prop_map(|(tens, beside)| (10 * tens).saturating_add_signed(beside))
}

fn around(tens: Range<i64>) -> impl Strategy<Value = i64> {
    (tens, beside()).prop_map(|(tens, beside)| 10 * tens + beside)
}

fn beside() -> impl Strategy<Value = i64> {
    prop_oneof![6 => Just(0_i64), 1 => Just(-1), 1 => Just(1)]
}

impl Token {
    fn text(&self) -> String {
        let claims = claims_with(json!({
            "iat": self.iat, "exp": self.exp, "nbf": self.nbf, "gid": handle(self.gid), "sid": handle(self.sid),
        }));
        let text = Key::number(self.key).token(&claims);
        if self.is_broken { text.replace('e', "f") } else { text }
    }

    fn vetted(&self) -> VettedClaims {
        VettedClaims {
            issuer: ISSUER.into(),
            issued_at: secs(self.iat),
            gid: handle(self.gid),
            sid: handle(self.sid),
            kid: Some(Key::number(self.key).public().kid()),
        }
    }
}
