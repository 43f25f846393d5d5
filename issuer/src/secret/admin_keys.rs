//! The keys that open the operators' routes. Each key has a name and a scope.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use sha2::{Digest, Sha256};
use subtle::{ConditionallySelectable, ConstantTimeEq};

use super::{MIN_SECRET_LEN, SecretText};

/// Largest number of admin keys: enough for many clients that change their keys at different times.
pub const MAX_ADMIN_KEYS: usize = 32;
/// Largest length of an admin key, in bytes.
pub const MAX_KEY_LEN: usize = 1024;
/// Largest length of a key's name, in bytes.
pub const MAX_NAME_LEN: usize = 32;
/// The name of a key that is given without a name.
const NAME_OF_BARE_KEYS: &str = "admin";

/// What the holder of a key may do. The route table says which scopes open a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// Read subjects, keys and tokens.
    Read,
    /// End tokens and sessions of single subjects.
    Kick,
    /// Everything.
    All,
}

impl Scope {
    /// Every scope.
    pub const EACH: [Self; 3] = [Self::Read, Self::Kick, Self::All];

    /// The scope's name in settings, answers and log output.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Kick => "kick",
            Self::All => "all",
        }
    }

    fn named(text: &str) -> Option<Self> {
        Self::EACH.into_iter().find(|scope| scope.as_str() == text)
    }

    /// Whether a key with this scope opens a route that these scopes open. The scope `all` opens every route.
    pub fn is_one_of(self, scopes: &[Self]) -> bool {
        self == Self::All || scopes.contains(&self)
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The holder of a key, as the log output and the audit show it. Two keys may have the same holder while one of them
/// replaces the other.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Holder {
    /// The key's name.
    pub name: Arc<str>,
    /// What the holder may do.
    pub scope: Scope,
}

impl fmt::Display for Holder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name, self.scope)
    }
}

/// Why a text cannot be used as admin keys. The message contains no part of the text, because each part can be a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{}{fault}", in_line(.line))]
pub struct UnfitKeys {
    /// The line with the fault, if the text has several lines.
    pub line: Option<usize>,
    /// The fault.
    pub fault: KeyFault,
}

fn in_line(line: &Option<usize>) -> String {
    line.map_or_else(String::new, |line| format!("line {line} "))
}

/// What is wrong with an admin key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyFault {
    /// The key is so short that an attacker could guess it, or there is no key.
    #[error(
        "holds a secret of {len} characters; use at least {MIN_SECRET_LEN}, for example from `openssl rand -base64 32`"
    )]
    Short {
        /// The number of characters of the key.
        len: usize,
    },
    /// The key is longer than the limit.
    #[error("holds a key of more than {MAX_KEY_LEN} characters")]
    Long,
    /// The key has characters that no client can send in `Authorization: Bearer`.
    #[error(
        "holds a key with characters that an HTTP header cannot carry: use visible ASCII without spaces, for example from \
         `openssl rand -base64 32`, one key a line, in a file without a byte order mark"
    )]
    Unsendable,
    /// The line has neither one part nor three parts.
    #[error(
        "is neither a key alone nor a key with its name and scope: write `NAME SCOPE KEY` with one space between the \
         parts, for example `kicker kick` and then the key. A key has only visible ASCII characters and no spaces"
    )]
    Form,
    /// The name has other characters than the allowed ones, or is too long.
    #[error("holds an unusable name: write 1 to {MAX_NAME_LEN} letters, digits, `.`, `_` or `-`")]
    Name,
    /// The scope is unknown.
    #[error("holds an unknown scope: write read, kick or all after the name")]
    Scope,
    /// A name has two scopes, or a key has two names.
    #[error(
        "repeats a name with another scope, or a key with another name: give each holder one name and one scope"
    )]
    Clash,
    /// There are too many keys. The number is limited, because the key in each request is compared with all of them.
    #[error("holds {count} keys; use at most {MAX_ADMIN_KEYS}")]
    Many {
        /// The number of keys.
        count: usize,
    },
}

/// The admin keys. A request to `/admin/*` or `/introspect` must have one of these keys in `Authorization: Bearer`.
/// Only their digests are kept, so the memory of the issuer shows no key.
///
/// There may be several keys, so that each client has a key of its own, and so that an operator can replace a key
/// without an interruption.
#[derive(Clone)]
pub struct AdminKeys(Vec<([u8; 32], Holder)>);

impl AdminKeys {
    /// Parses keys. Each is `KEY`, with the name `admin` and the scope `all`, or `NAME SCOPE KEY`. Keys are separated
    /// by newlines or commas. Empty lines, and lines that begin with `#`, are ignored.
    ///
    /// # Errors
    ///
    /// [`UnfitKeys`] if a key cannot be used, or if there is no key or too many keys.
    pub fn parse(text: &str) -> Result<Self, UnfitKeys> {
        let keys = entries(text)?;
        Ok(Self(keys.into_iter().map(|(digest, holder, _)| (digest, holder)).collect()))
    }

    /// The key that the `doorlist` commands send: the first key with the scope `all`. If no key has this scope, the
    /// first key.
    ///
    /// # Errors
    ///
    /// [`UnfitKeys`] as from [`Self::parse`].
    pub fn to_send(text: &str) -> Result<SecretText, UnfitKeys> {
        let keys = entries(text)?;
        let opens_all = keys.iter().find(|(_, holder, _)| holder.scope == Scope::All);
        let (_, _, key) = opens_all.or(keys.first()).ok_or(NO_KEY)?;
        Ok((*key).to_owned().into())
    }

    /// The holder of the offered key. All keys are always compared, so the time depends only on the length of the
    /// offered text and on the number of keys. It does not show which key matched.
    pub fn holder(&self, offered: &str) -> Option<&Holder> {
        let offered = digest(offered);
        let mut found = u32::MAX;
        for (at, (key, _)) in (0_u32..).zip(&self.0) {
            found.conditional_assign(&at, key.ct_eq(&offered));
        }
        self.0.get(found as usize).map(|(_, holder)| holder)
    }

    /// The keys of `self` that `other` lacks, by their holders.
    fn without<'a>(&'a self, other: &'a Self) -> impl Iterator<Item = &'a Holder> {
        let lacks = |(key, holder): &&([u8; 32], Holder)| {
            !other.0.iter().any(|(other_key, other_holder)| other_key == key && other_holder == holder)
        };
        self.0.iter().filter(lacks).map(|(_, holder)| holder)
    }
}

const NO_KEY: UnfitKeys = UnfitKeys { line: None, fault: KeyFault::Short { len: 0 } };

/// The digest, the holder and the text of a key.
type Entry<'a> = ([u8; 32], Holder, &'a str);

fn entries(text: &str) -> Result<Vec<Entry<'_>>, UnfitKeys> {
    let lines = || text.lines().enumerate().map(|(at, line)| (at + 1, line.trim()));
    let used = || lines().filter(|(_, line)| !line.is_empty() && !line.starts_with('#'));
    let has_lines = lines().nth(1).is_some();
    let unfit = |line: usize, fault| UnfitKeys { line: has_lines.then_some(line), fault };
    let mut keys: Vec<Entry<'_>> = Vec::new();
    for (line, text) in used() {
        for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
            let (holder, key) = read(entry).map_err(|fault| unfit(line, fault))?;
            let digest = digest(key);
            let clashes = |(known, other, _): &Entry<'_>| {
                (other.name == holder.name || *known == digest) && *other != holder
            };
            if keys.iter().any(clashes) {
                return Err(unfit(line, KeyFault::Clash));
            }
            keys.push((digest, holder, key));
        }
    }
    match keys.len() {
        0 => Err(NO_KEY),
        1..=MAX_ADMIN_KEYS => Ok(keys),
        count => Err(UnfitKeys { line: None, fault: KeyFault::Many { count } }),
    }
}

/// Reads `KEY` or `NAME SCOPE KEY`.
fn read(entry: &str) -> Result<(Holder, &str), KeyFault> {
    let parts: Vec<_> = entry.split_whitespace().collect();
    let (name, scope, key) = match parts[..] {
        [key] => (NAME_OF_BARE_KEYS, Scope::All, key),
        [name, scope, key] => (name, Scope::named(scope).ok_or(KeyFault::Scope)?, key),
        _ => return Err(KeyFault::Form),
    };
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if name.len() > MAX_NAME_LEN || !name.bytes().all(is_plain) {
        return Err(KeyFault::Name);
    }
    if !key.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(KeyFault::Unsendable);
    }
    if key.len() < MIN_SECRET_LEN {
        return Err(KeyFault::Short { len: key.len() });
    }
    if key.len() > MAX_KEY_LEN {
        return Err(KeyFault::Long);
    }
    Ok((Holder { name: name.into(), scope }, key))
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

impl fmt::Debug for AdminKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AdminKeys([redacted])")
    }
}

/// The admin keys that are valid now. They can be replaced while the issuer runs.
#[derive(Debug)]
pub struct CurrentAdminKeys(RwLock<Arc<AdminKeys>>);

/// The keys that a replacement added and removed, by their holders.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct KeyChanges {
    /// The holders of new keys.
    pub added: Vec<Holder>,
    /// The holders of keys that are no longer valid.
    pub removed: Vec<Holder>,
}

impl CurrentAdminKeys {
    /// Makes these keys valid.
    pub fn new(keys: AdminKeys) -> Self {
        Self(RwLock::new(Arc::new(keys)))
    }

    /// The keys that are valid now.
    pub fn get(&self) -> Arc<AdminKeys> {
        Arc::clone(&self.0.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// Makes only these keys valid, from the next request on.
    pub fn replace(&self, keys: AdminKeys) -> KeyChanges {
        let mut current = self.0.write().unwrap_or_else(PoisonError::into_inner);
        let former = std::mem::replace(&mut *current, Arc::new(keys));
        KeyChanges {
            added: current.without(&former).cloned().collect(),
            removed: former.without(&current).cloned().collect(),
        }
    }
}

#[cfg(test)]
mod tests;
