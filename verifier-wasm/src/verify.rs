//! The verifier.

use crate::answer::{Freshness, Loaded, RevocationStatus, Status, Verdict, Verified};
use crate::claims::{AccessTokenClaims, MAX_TOKEN_LEN, VettedClaims};
use crate::cursor::Cursor;
use crate::error::{ClaimFlaw, Error, ListFlaw, RevokedBy};
use crate::form::{Kind, Signed, Unverified};
use crate::handle::Handle;
use crate::held::{self, HeldList, LoadOutcome};
use crate::keys::{Jwks, KeySet, PublicKey};
use crate::list::{MAX_LIST_LEN, RevocationList};
use crate::policy::{DEFAULT_LEEWAY_SECS, MissingListPolicy, OUTAGE_TTLS, Options, StalePolicy};
use crate::terms::Terms;
use crate::time::{HostTime, UnixSeconds};

/// The maximum number of seconds by which a list may be ahead of the host's clock: a day. If a list is further ahead,
/// the issuer's clock is probably wrong. Such a list would move this verifier's time forward. The verifier's time would
/// stay wrong until the real time has caught up (trace 9).
const MAX_AHEAD_SECS: u64 = 86_400;

/// Checks access tokens against keys, a time given by the caller, and a revocation list. Does no I/O.
///
/// ```
/// use doorlist_verifier::{Error, Options, Verifier, VettedClaims};
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let payload = text(&claims());
/// # let revocation = doorlist_verifier::RevocationList { revoked: revoking(&[GID]), ..delta(100, 101) };
/// # let [snapshot, delta] = [&snapshot(), &revocation].map(|list| Key::number(1).list(list));
/// # let (jwks, token, now) = (jwks_text(&[1]), Key::number(1).token(&claims()), at(NOW));
/// let mut verifier = Verifier::new(Options::new("https://issuer.example", Some(vec!["api".into()])))?;
/// // The bodies of the issuer's `/.well-known/jwks.json` and `/revocations`.
/// assert_eq!(verifier.add_jwks(&jwks)?, 1);
/// verifier.load(&snapshot, now)?;
/// assert_eq!(verifier.verify(&token, now)?.claims.subject, "alice");
///
/// // The issuer revoked the sessions of this user.
/// verifier.load(&delta, now)?;
/// assert_eq!(verifier.verify(&token, now).unwrap_err().code(), "ERR_JWT_REVOKED");
/// assert_eq!(verifier.status(now).entries, 1);
///
/// // Another library verified the token: only the revocation check of its payload remains.
/// let vetted = VettedClaims::decode(payload.as_bytes())?;
/// assert_eq!(verifier.check_vetted(&vetted, now).unwrap_err().code(), "ERR_JWT_REVOKED");
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Verifier {
    options: Options,
    keys: KeySet,
    list: Option<HeldList>,
}

impl Verifier {
    /// Creates a verifier without keys or list.
    ///
    /// # Errors
    /// [`Error::Options`] for the first option whose value is not allowed.
    pub fn new(options: Options) -> Result<Self, Error> {
        options.check()?;
        Ok(Self { options, keys: KeySet::default(), list: None })
    }

    /// Adds the keys of a JWK Set to the trusted keys, except keys that a loaded list has dropped. Returns the number
    /// of new keys.
    ///
    /// # Errors
    /// [`Error::Jwks`]. The verifier is then unchanged.
    pub fn add_jwks(&mut self, jwks: &str) -> Result<usize, Error> {
        let jwks = Jwks::parse(jwks)?;
        self.keys.add(&jwks).map_err(|reason| Error::Jwks { reason })
    }

    /// Returns the trusted keys and the identifiers of the dropped keys, as JSON for [`Self::restore_trust`]. If an
    /// application saves this text together with a snapshot, a new verifier can start offline.
    pub fn trust(&self) -> String {
        self.keys.saved()
    }

    /// Restores the keys that [`Self::trust`] returned as JSON: trusts the trusted keys, and distrusts the dropped
    /// keys.
    ///
    /// ```
    /// use doorlist_verifier::{Error, Options, Verifier};
    ///
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
    /// # use support::*;
    /// # let (jwks, now) = (jwks_text(&[1]), at(NOW));
    /// # let snapshot = Key::number(1).list(&snapshot());
    /// let options = Options::new("https://issuer.example", None);
    /// let mut verifier = Verifier::new(options.clone())?;
    /// verifier.add_jwks(&jwks)?;
    /// let saved = verifier.trust();
    ///
    /// // After a restart, while the issuer cannot be reached:
    /// let mut verifier = Verifier::new(options)?;
    /// verifier.restore_trust(&saved)?;
    /// assert!(verifier.load(&snapshot, now).is_ok(), "signed with a trusted key");
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Jwks`]. The verifier is then unchanged, with one exception: if there are too many keys in total, the
    /// dropped keys are no longer trusted.
    pub fn restore_trust(&mut self, saved: &str) -> Result<(), Error> {
        self.keys.restore(saved)
    }

    /// Loads a list, which is a snapshot or a delta.
    ///
    /// # Errors
    /// Returns the first error that applies, and leaves the verifier unchanged. The order is: [`Error::ListInvalid`]
    /// for the list's form, [`Error::Algorithm`], [`Error::UnknownKey`], [`Error::Signature`], [`Error::ListInvalid`]
    /// for the list's claims, its issuer, or an `iat` in the future, [`Error::ListRollback`], [`Error::ListGap`].
    pub fn load(&mut self, list: &str, at: HostTime) -> Result<Loaded, Error> {
        let unverified = Unverified::parse(list, MAX_LIST_LEN).map_err(|error| match error {
            Error::TooLong { .. } => Error::ListInvalid { reason: ListFlaw::TooLong, claim: None },
            Error::Form { .. } => Error::ListInvalid { reason: ListFlaw::Form, claim: None },
            other => other,
        })?;
        if unverified.kind != Kind::RevocationList {
            return Err(Error::ListInvalid { reason: ListFlaw::Type, claim: None });
        }
        // A key that is already trusted must have signed the list. The list's own `jwks` takes effect only after this
        // check.
        let Signed { payload, .. } = unverified.verify(&mut self.keys)?;
        let list = RevocationList::decode(&payload)?;
        if list.issuer != self.options.issuer {
            return Err(Error::ListInvalid { reason: ListFlaw::Issuer, claim: Some("iss") });
        }
        // Use the host's own clock here, not the latest time in the lists. Otherwise each list of a series could move
        // the limit a day further.
        if list.issued_at > at.wall.plus_secs(MAX_AHEAD_SECS) {
            return Err(Error::ListInvalid { reason: ListFlaw::Future, claim: Some("iat") });
        }
        let outcome = held::judge(self.list.as_ref(), &list)?;
        let (Cursor { epoch, seq: sequence }, since) = (list.cursor(), list.since);
        if outcome == LoadOutcome::Applied {
            if let Some(jwks) = &list.jwks {
                self.keys.replace(jwks);
            }
            match &mut self.list {
                Some(held) => held.apply(list, at),
                None => self.list = Some(HeldList::new(list, at)),
            }
        }
        let entries = self.list.as_ref().map_or(0, HeldList::entries);
        Ok(Loaded { epoch, sequence, since, entries, outcome })
    }

    /// Checks an access token. FORMAT.md defines the order of the steps.
    ///
    /// # Errors
    /// Each step has its own error. The error of the first step that fails is returned.
    pub fn verify(&mut self, token: &str, at: HostTime) -> Result<Verified, Error> {
        // 1. Size and strict form. 2. Header: `alg`, `typ`, `kid`, no other member.
        let unverified = Unverified::parse(token, MAX_TOKEN_LEN)?;
        if unverified.kind != Kind::AccessToken {
            return Err(Error::Type { claim: "typ", reason: ClaimFlaw::CheckFailed });
        }
        let kid = unverified.kid;
        // 3. Key by `kid`. 4. Signature.
        let Signed { header_json, payload } = unverified.verify(&mut self.keys)?;
        // 5. The claims are well-formed.
        let claims = AccessTokenClaims::decode(&payload)?;
        // 6. Issuer and audience match this verifier.
        self.check_parties(&claims)?;
        // 7. to 10. The checks whose result can change.
        let mut terms = Terms::new(kid, &claims);
        let Verdict { revocation, freshness, outage } = self.stand(&mut terms, at)?;
        let payload_json = String::from_utf8(payload).map_err(|_| Error::Payload)?;
        Ok(Verified { header_json, payload_json, claims, revocation, freshness, outage, terms })
    }

    /// Repeats only the checks whose result can change after [`Self::verify`] accepted this token.
    ///
    /// # Errors
    /// The error that [`Self::verify`] would return now.
    pub(crate) fn look_again(&self, terms: &mut Terms, at: HostTime) -> Result<Verdict, Error> {
        // 3. Key by `kid`.
        self.keys.find(terms.kid).ok_or(self.keys.unknown(terms.kid))?;
        self.stand(terms, at)
    }

    /// Checks whether a token is revoked, after another library has verified the token. That library must have checked
    /// the signature, the audience and the expiry.
    ///
    /// # Errors
    /// Returns the first error that applies. The order is: [`Error::UnknownKey`] if the key is not trusted (any more),
    /// [`Error::Issuer`], [`Error::TooEarly`] for an `iat` in the future, [`Error::Expired`] if the issuer no longer
    /// keeps revocations of the token, [`Error::Revoked`], and the errors of the policies.
    pub fn check_vetted(&self, claims: &VettedClaims, at: HostTime) -> Result<Verdict, Error> {
        // 3. Key by `kid`.
        if let Some(kid) = claims.kid {
            self.keys.find(kid).ok_or(self.keys.unknown(kid))?;
        }
        // 6. The issuer matches this verifier.
        self.check_issuer(&claims.issuer)?;
        // 7. Time. Other libraries accept an `iat` in the future. Neither a cut-off nor the retention limit would apply
        // to such a token.
        self.check_issued(claims.issued_at, self.now(at))?;
        if let Some(expires_at) = self.forgotten_since(claims.issued_at) {
            return Err(self.expired(expires_at, self.now(at)));
        }
        // 8. Cut-off. 9. `gid` and `sid`. 10. Freshness policy.
        self.check_cutoff(claims.issued_at)?;
        self.check_listed(claims.gid, claims.sid)?;
        let freshness = self.check_freshness(at)?;
        Ok(Verdict { revocation: self.revocation(), freshness, outage: false })
    }

    /// The list and keys that the verifier holds.
    pub fn status(&self, at: HostTime) -> Status {
        let cursor = self.list.as_ref().map(HeldList::cursor);
        Status {
            epoch: cursor.map(|cursor| cursor.epoch),
            sequence: cursor.map(|cursor| cursor.seq),
            entries: self.list.as_ref().map_or(0, HeldList::entries),
            freshness: self.freshness(at),
            ttl_secs: self.list.as_ref().map(HeldList::ttl_secs),
            keys: self.keys.trusted().iter().map(PublicKey::kid).collect(),
        }
    }

    /// The verifier's time: the later of two times, which are the host's wall clock and the time that lists prove.
    ///
    /// ```
    /// use doorlist_verifier::Error;
    ///
    /// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
    /// # use support::*;
    /// # let (mut verifier, list) = (verifier(), Key::number(1).list(&snapshot()));
    /// # let slow = at(NOW - 3600);
    /// // The host's clock is an hour slow, and the list is ten seconds old.
    /// verifier.load(&list, slow)?;
    /// assert_eq!(verifier.now(slow).secs_since(slow.wall), 3590);
    /// # Ok::<(), Error>(())
    /// ```
    pub fn now(&self, at: HostTime) -> UnixSeconds {
        self.list.as_ref().map_or(at.wall, |held| held.now(at))
    }

    fn check_parties(&self, claims: &AccessTokenClaims) -> Result<(), Error> {
        self.check_issuer(&claims.issuer)?;
        match &self.options.audience {
            Some(names) if !names.iter().any(|name| claims.audience.contains(name)) => Err(Error::Audience {
                claim: "aud",
                reason: ClaimFlaw::CheckFailed,
                expected: names.clone(),
                actual: claims.audience.names().to_vec(),
            }),
            _ => Ok(()),
        }
    }

    fn check_issuer(&self, issuer: &str) -> Result<(), Error> {
        if issuer == self.options.issuer {
            return Ok(());
        }
        let (expected, actual) = (self.options.issuer.clone(), issuer.into());
        Err(Error::Issuer { claim: "iss", reason: ClaimFlaw::CheckFailed, expected, actual })
    }

    fn stand(&self, terms: &mut Terms, at: HostTime) -> Result<Verdict, Error> {
        // 7. Time.
        let outage = self.check_time(terms, at)?;
        // 8. Cut-off.
        self.check_cutoff(terms.issued_at)?;
        // 9. `gid` and `sid`.
        let times_brought = self.list.as_ref().map_or(0, HeldList::times_brought);
        if terms.unlisted_after != times_brought {
            self.check_listed(terms.gid, terms.sid)?;
            terms.unlisted_after = times_brought;
        }
        // 10. Freshness policy.
        let freshness = self.check_freshness(at)?;
        Ok(Verdict { revocation: self.revocation(), freshness, outage })
    }

    /// Returns whether the token is past its `exp` and is accepted only because of an outage.
    fn check_time(&self, terms: &Terms, at: HostTime) -> Result<bool, Error> {
        let now = self.now(at);
        let leeway = self.leeway_secs();
        if let Some(not_before) = terms.not_before
            && not_before > now.plus_secs(leeway)
        {
            return Err(self.too_early("nbf", not_before, now));
        }
        self.check_issued(terms.issued_at, now)?;
        let expired = terms.expires_at.plus_secs(leeway) <= now;
        if expired && !self.has_outage_grace(terms, now) {
            return Err(self.expired(terms.expires_at, now));
        }
        match self.forgotten_since(terms.issued_at) {
            Some(kept_until) => Err(self.expired(kept_until.min(terms.expires_at), now)),
            None => Ok(expired),
        }
    }

    fn check_issued(&self, issued_at: UnixSeconds, now: UnixSeconds) -> Result<(), Error> {
        // After a cut-off, the issuer stamps tokens one second ahead of its clock.
        let latest = now.plus_secs(self.leeway_secs().max(1));
        if issued_at > latest { Err(self.too_early("iat", issued_at, now)) } else { Ok(()) }
    }

    fn too_early(&self, claim: &'static str, time: UnixSeconds, now: UnixSeconds) -> Error {
        let clock_tolerance = self.leeway_secs();
        Error::TooEarly { claim, reason: ClaimFlaw::CheckFailed, time, now, clock_tolerance }
    }

    fn expired(&self, expires_at: UnixSeconds, now: UnixSeconds) -> Error {
        Error::Expired { expires_at, now, clock_tolerance: self.leeway_secs() }
    }

    /// The issuer keeps revocations of a token only for a limited time. If this time is over for tokens issued at
    /// `issued_at`, returns the moment at which it ended (trace 7). Such tokens count as expired, independent of their
    /// `exp`.
    fn forgotten_since(&self, issued_at: UnixSeconds) -> Option<UnixSeconds> {
        let held = self.list.as_ref()?;
        let kept_until = issued_at.plus_secs(held.retain_secs());
        (kept_until < held.as_of()).then_some(kept_until)
    }

    /// Whether an expired token is accepted because of an outage, so that applications continue to work. Such a token
    /// is accepted only while the issuer is down, and only for the configured time after its `exp`.
    fn has_outage_grace(&self, terms: &Terms, now: UnixSeconds) -> bool {
        let (Some(grace), Some(held)) = (self.options.outage_grace_secs, &self.list) else {
            return false;
        };
        let silent_secs = now.secs_since(held.as_of());
        now.secs_since(terms.expires_at) <= grace
            && silent_secs > held.ttl_secs().saturating_mul(OUTAGE_TTLS)
            && held.as_of() < terms.expires_at
    }

    fn check_cutoff(&self, issued_at: UnixSeconds) -> Result<(), Error> {
        match &self.list {
            Some(held) if issued_at < held.cutoff() => {
                Err(Error::Revoked { by: RevokedBy::Cutoff, handle: None, as_of: held.as_of() })
            }
            _ => Ok(()),
        }
    }

    fn check_listed(&self, gid: Handle, sid: Handle) -> Result<(), Error> {
        let Some(held) = &self.list else {
            return Ok(());
        };
        for (by, handle) in [(RevokedBy::Gid, gid), (RevokedBy::Sid, sid)] {
            if held.contains(handle) {
                return Err(Error::Revoked { by, handle: Some(handle), as_of: held.as_of() });
            }
        }
        Ok(())
    }

    /// The revocation status of a token that no check has refused.
    const fn revocation(&self) -> RevocationStatus {
        if self.list.is_some() { RevocationStatus::NotRevoked } else { RevocationStatus::Unknown }
    }

    fn check_freshness(&self, at: HostTime) -> Result<Freshness, Error> {
        let freshness = self.freshness(at);
        match freshness {
            Freshness { as_of: Some(as_of), age_secs: Some(age), stale: true }
                if self.options.on_stale == StalePolicy::Deny =>
            {
                let max_staleness = self.max_staleness_secs().unwrap_or_default();
                Err(Error::ListStale { as_of, age, max_staleness })
            }
            Freshness { as_of: None, .. } if self.options.on_missing == MissingListPolicy::Deny => {
                Err(Error::ListMissing)
            }
            _ => Ok(freshness),
        }
    }

    fn freshness(&self, at: HostTime) -> Freshness {
        let as_of = self.list.as_ref().map(HeldList::as_of);
        let age_secs = as_of.map(|as_of| self.now(at).secs_since(as_of));
        Freshness { as_of, age_secs, stale: age_secs.is_none_or(|age| Some(age) > self.max_staleness_secs()) }
    }

    fn max_staleness_secs(&self) -> Option<u64> {
        let default = self.list.as_ref().map(|held| held.ttl_secs().saturating_mul(OUTAGE_TTLS));
        self.options.max_staleness_secs.or(default)
    }

    /// The clock tolerance. It is never above the issuer's leeway: otherwise tokens would be accepted for longer than
    /// the issuer keeps their entries (trace 7).
    fn leeway_secs(&self) -> u64 {
        let issuers = self.list.as_ref().map(HeldList::leeway_secs);
        match (self.options.clock_tolerance_secs, issuers) {
            (Some(own), Some(issuers)) => own.min(issuers),
            (Some(secs), None) | (None, Some(secs)) => secs,
            (None, None) => DEFAULT_LEEWAY_SECS,
        }
    }
}
