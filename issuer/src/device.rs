//! Known devices: the proof that an account has logged in on a device before.
//!
//! A successful login returns a device token. It is an [authenticated text](Authentic) with this content, and it proves
//! nothing for any other account and opens nothing by itself:
//!
//! ```text
//! +-----+--------+-----------+----------+
//! | gid | device | issued at | subject  |
//! | 8   | 8      | 8         | 1 to 255 |
//! +-----+--------+-----------+----------+
//! ```
//!
//! The proof counts only while the account is in the group `gid`, which changes with a kick, a void, a new password and
//! new claims. So a kick makes all devices of the account unknown, and the store needs no list of devices.

use axum::http::HeaderMap;
use doorlist_verifier::{Handle, UnixSeconds};

use crate::authentic::Authentic;
use crate::domain::Subject;
use crate::refresh_token::numbers;
use crate::secret::{MasterSecrets, SecretText};
use crate::token_cookie::TokenCookie;

/// A device is known for this long after its last login: a year. Browsers keep a cookie for 400 days at most.
pub const KNOWN_SECS: u64 = 365 * 86_400;

/// Makes and reads device tokens.
#[derive(Debug, Clone)]
pub struct Devices {
    tokens: Authentic,
    /// The cookie of a browser that gets its tokens in cookies.
    pub cookie: TokenCookie,
}

/// A device on which an account has logged in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Device {
    /// The device: a random number.
    pub id: u64,
    /// The group of the account at the last login.
    pub gid: Handle,
}

impl Devices {
    /// The devices of one issuer (the `iss` claim of its access tokens).
    pub fn new(secrets: &MasterSecrets, issuer: &str) -> Self {
        Self { tokens: Authentic::new(secrets, "device", issuer), cookie: TokenCookie::of_device(issuer) }
    }

    /// The token that proves this device to be known to this account.
    pub fn write(&self, sub: &Subject, device: Device, now: UnixSeconds) -> String {
        let numbers = [device.gid.get(), device.id, now.as_secs()].map(u64::to_be_bytes);
        self.tokens.write(&[numbers.as_flattened(), sub.as_str().as_bytes()].concat())
    }

    /// The device in a token of this account. `None` if the text is not such a token, or is too old.
    pub fn read(&self, sub: &Subject, text: &str, now: UnixSeconds) -> Option<Device> {
        let content = self.tokens.read(text, 3 * 8 + Subject::MAX_LEN)?;
        let ([gid, id, issued_at], owner) = numbers(&content)?;
        let is_known = owner == *sub && now.as_secs() < issued_at.saturating_add(KNOWN_SECS);
        Some(Device { id, gid: Handle::new(gid)? }).filter(|_| is_known)
    }

    /// The device token in the request's cookie. A repeated cookie counts as none, because a login needs no device.
    pub fn find_cookie(&self, headers: &HeaderMap) -> Option<SecretText> {
        self.cookie.find(headers).ok().flatten()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::desk::RefreshClaims;
    use crate::refresh_token::RefreshTokens;

    fn secrets() -> MasterSecrets {
        MasterSecrets::parse("a-secret-of-the-tests-of-devices").expect("a secret")
    }

    fn subject(name: &str) -> Subject {
        name.try_into().expect("a subject")
    }

    fn at(secs: u64) -> UnixSeconds {
        UnixSeconds::saturating_new(secs)
    }

    #[test]
    fn a_device_token_proves_one_account_for_a_year() {
        let devices = Devices::new(&secrets(), "https://issuer.example");
        let device = Device { id: 7, gid: Handle::new(9).expect("a handle") };
        let token = devices.write(&subject("alice"), device, at(1000));
        let read = |name, now| devices.read(&subject(name), &token, at(now));
        assert_eq!(read("alice", 1000), Some(device));
        assert_eq!(read("alice", 1000 + KNOWN_SECS - 1), Some(device));
        assert_eq!(read("alice", 1000 + KNOWN_SECS), None);
        assert_eq!(read("mallory", 1000), None);
        let other = Devices::new(&secrets(), "https://other.example");
        assert_eq!(other.read(&subject("alice"), &token, at(1000)), None);
    }

    #[test]
    fn a_device_token_is_no_refresh_token_and_the_reverse() {
        let devices = Devices::new(&secrets(), "i");
        let refresh = RefreshTokens::new(&secrets(), "i");
        let gid = Handle::new(9).expect("a handle");
        let token = devices.write(&subject("12345678"), Device { id: 7, gid }, at(1000));
        assert!(refresh.decode(&token).is_err());
        // With this subject, the content has the form of a device token.
        let sub = subject("\u{20}\u{20}\u{20}\u{20}\u{20}\u{20}\u{20}\u{20}alice");
        let refresh = refresh.encode(&RefreshClaims { sid: gid, generation: 1, sub });
        assert_eq!(devices.read(&subject("alice"), &refresh, at(1000)), None);
    }
}
