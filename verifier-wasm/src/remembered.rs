//! A memory of accepted tokens. A remembered token is checked again without verifying its signature.
//!
//! Checks whose result can never change are not repeated: the form, the signature, the form of the claims, the issuer
//! and the audience. The result of the signature check cannot change, because a `kid` is the thumbprint of its key, and
//! so always means the same key. All other checks are done on every call, by the same functions as in the first check.
//!
//! A token is found by eight characters of its signature. Then the whole token is compared, byte by byte.

use std::fmt;

use crate::answer::Verdict;
use crate::claims::MAX_TOKEN_LEN;
use crate::error::Error;
use crate::time::HostTime;
use crate::verify::Verifier;

pub use crate::terms::Terms;

/// A memory has room for tokens that have this many bytes on average. If the tokens are longer, the memory keeps fewer
/// tokens.
const BYTES_A_TOKEN: usize = 1024;

/// The end of a chain: no slot follows.
const END: usize = usize::MAX;

/// The number of chains that a memory gets with its first token. The number is small, because a verifier may be created
/// for only one request.
const FIRST_CHAINS: usize = 8;

/// Tokens that a verifier accepted, each in its own slot.
///
/// Only accepted tokens are stored, so invalid tokens displace nothing. If the memory needs room, a hand moves around
/// the slots (the clock algorithm). The hand removes the first token that was not requested after the hand's last
/// visit. So the memory removes expired tokens before tokens in use. During a flood of valid tokens that are each seen
/// only once, the memory removes these tokens before tokens in use.
///
/// ```
/// use doorlist_verifier::{Error, HostTime, Verifier, remembered::Memory};
///
/// fn outage(verifier: &mut Verifier, memory: &mut Memory, token: &str, now: HostTime) -> Result<bool, Error> {
///     if let Some(known) = memory.verify_again(token.as_bytes(), verifier, now) {
///         return Ok(known.standing.outage);
///     }
///     let verified = verifier.verify(token, now)?;
///     memory.remember(token.as_bytes().into(), verified.terms);
///     Ok(verified.outage)
/// }
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let (mut verifier, token, now) = (ready(), Key::number(1).token(&claims()), at(NOW));
/// let mut memory = Memory::new(1000);
/// assert_eq!(memory.verify_again(token.as_bytes(), &verifier, now), None, "not remembered yet");
/// assert!(!outage(&mut verifier, &mut memory, &token, now)?);
/// assert!(memory.verify_again(token.as_bytes(), &verifier, now).is_some());
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Memory {
    capacity: usize,
    /// The first slot of each chain. The number of chains is a power of two, and doubles when there are more slots
    /// than chains.
    chains: Vec<usize>,
    places: Vec<Place>,
    free: Vec<usize>,
    /// The total length of all tokens held.
    bytes: usize,
    /// The slot that the hand visits next.
    hand: usize,
}

#[derive(Clone)]
struct Place {
    mark: u64,
    /// The next slot of the same chain.
    next: usize,
    /// Whether the token was requested after the hand's last visit.
    is_wanted: bool,
    /// The token. Empty if the slot is free.
    token: Box<[u8]>,
    terms: Terms,
}

/// The result for a token that was accepted before and is accepted again.
///
/// ```
/// use doorlist_verifier::{Error, remembered::Memory};
///
/// # mod support { include!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/verifier/support.rs")); }
/// # use support::*;
/// # let (mut verifier, token, now) = (ready(), Key::number(1).token(&claims()), at(NOW));
/// let mut memory = Memory::new(1000);
/// let mut subjects = vec![String::new(); 1000];
/// let verified = verifier.verify(&token, now)?;
/// if let Some(slot) = memory.remember(token.as_bytes().into(), verified.terms) {
///     subjects[slot] = verified.claims.subject;
/// }
///
/// let known = memory.verify_again(token.as_bytes(), &verifier, now).expect("still valid");
/// assert_eq!(subjects[known.slot], "alice");
/// assert!(!known.standing.outage);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// The slot that [`Memory::remember`] returned.
    pub slot: usize,
    /// The result of this check.
    pub standing: Verdict,
}

impl Memory {
    /// Creates a memory for at most `capacity` tokens of 1,024 bytes on average. Space for a token is allocated when
    /// the token is stored.
    pub const fn new(capacity: usize) -> Self {
        Self { capacity, chains: Vec::new(), places: Vec::new(), free: Vec::new(), bytes: 0, hand: 0 }
    }

    /// Checks a token again with the verifier that accepted the token. Returns `None` if the token is not remembered,
    /// or if the token must be refused now. In both cases, call [`Verifier::verify`], which also gives the reason for a
    /// refusal.
    pub fn verify_again(&mut self, token: &[u8], verifier: &Verifier, at: HostTime) -> Option<Known> {
        let slot = self.find(token)?;
        let place = self.places.get_mut(slot)?;
        place.is_wanted = true;
        match verifier.look_again(&mut place.terms, at) {
            Ok(standing) => Some(Known { slot, standing }),
            Err(Error::UnknownKey { .. } | Error::Expired { .. } | Error::Revoked { .. }) => {
                self.forget(slot);
                None
            }
            // The token may be accepted again later, so it stays in the memory.
            Err(_) => None,
        }
    }

    /// Stores an accepted token and returns its slot. The slot belongs to this token until the same slot is returned
    /// for another token. Returns `None` if the token was not stored.
    pub fn remember(&mut self, token: Box<[u8]>, terms: Terms) -> Option<usize> {
        let mark = mark(&token)?;
        if self.capacity == 0 || token.len() > MAX_TOKEN_LEN {
            return None;
        }
        if let Some(slot) = self.find(&token) {
            self.forget(slot);
        }
        while self.lacks_room(token.len()) {
            let slot = self.least_wanted();
            self.forget(slot);
        }
        let slot = self.free.pop().unwrap_or(self.places.len());
        if slot >= self.chains.len() {
            self.double_chains();
        }
        let chain = self.chain(mark);
        let next = std::mem::replace(self.chains.get_mut(chain)?, slot);
        self.bytes = self.bytes.saturating_add(token.len());
        let place = Place { mark, next, is_wanted: false, token, terms };
        match self.places.get_mut(slot) {
            Some(free) => *free = place,
            None => self.places.push(place),
        }
        Some(slot)
    }

    /// Doubles the number of chains, and distributes the tokens over them.
    fn double_chains(&mut self) {
        let count = self.chains.len().saturating_mul(2).max(FIRST_CHAINS);
        self.chains = vec![END; count];
        for slot in 0..self.places.len() {
            let Some(&Place { mark, ref token, .. }) = self.places.get(slot) else { continue };
            if token.is_empty() {
                continue;
            }
            let chain = self.chain(mark);
            let first = self.chains.get_mut(chain).map(|first| std::mem::replace(first, slot));
            if let (Some(first), Some(place)) = (first, self.places.get_mut(slot)) {
                place.next = first;
            }
        }
    }

    fn find(&self, token: &[u8]) -> Option<usize> {
        let mark = mark(token)?;
        let mut slot = *self.chains.get(self.chain(mark))?;
        while let Some(place) = self.places.get(slot) {
            if place.mark == mark && are_same(&place.token, token) {
                return Some(slot);
            }
            slot = place.next;
        }
        None
    }

    fn forget(&mut self, slot: usize) {
        let Some(place) = self.places.get_mut(slot) else {
            return;
        };
        let Place { mark, next, .. } = *place;
        self.bytes = self.bytes.saturating_sub(std::mem::take(&mut place.token).len());
        let chain = self.chain(mark);
        if let Some(first) = self.chains.get_mut(chain)
            && *first == slot
        {
            *first = next;
        }
        let mut before = self.chains.get(chain).copied().unwrap_or(END);
        while let Some(place) = self.places.get_mut(before) {
            if place.next == slot {
                place.next = next;
            }
            before = place.next;
        }
        self.free.push(slot);
    }

    fn lacks_room(&self, bytes: usize) -> bool {
        // Even the smallest memory has room for the longest possible token.
        let most = self.capacity.saturating_mul(BYTES_A_TOKEN).max(MAX_TOKEN_LEN);
        let is_full = self.free.is_empty() && self.places.len() >= self.capacity;
        is_full || self.bytes.saturating_add(bytes) > most
    }

    /// Moves the hand past the next token that was not requested after the hand's last visit. Returns the slot of this
    /// token. The memory must hold at least one token.
    fn least_wanted(&mut self) -> usize {
        loop {
            let slot = self.hand;
            let Some(place) = self.places.get_mut(slot) else {
                self.hand = 0;
                continue;
            };
            self.hand = slot.saturating_add(1);
            if !place.token.is_empty() && !std::mem::take(&mut place.is_wanted) {
                return slot;
            }
        }
    }

    fn chain(&self, mark: u64) -> usize {
        // Fibonacci hashing: the upper bits of the product depend on all bits of the mark.
        let bits = self.chains.len().trailing_zeros();
        let chain = mark.wrapping_mul(0x9e37_79b9_7f4a_7c15).checked_shr(u64::BITS.saturating_sub(bits));
        chain.and_then(|chain| usize::try_from(chain).ok()).unwrap_or_default()
    }
}

/// The key for finding a token: the eight characters before the token's last character. In an accepted token, these
/// characters belong to the signature.
fn mark(token: &[u8]) -> Option<u64> {
    let (_, rest) = token.split_last()?;
    rest.last_chunk().copied().map(u64::from_le_bytes)
}

/// Compares two texts. The time depends only on their lengths, so that an attacker who guesses a token learns nothing
/// from the time.
fn are_same(a: &[u8], b: &[u8]) -> bool {
    let ((a_words, a_rest), (b_words, b_rest)) = (a.as_chunks(), b.as_chunks());
    let words = a_words.iter().zip(b_words);
    let words = words.fold(0, |sum, (a, b)| sum | (u64::from_le_bytes(*a) ^ u64::from_le_bytes(*b)));
    let rest = a_rest.iter().zip(b_rest).fold(0, |sum, (a, b)| sum | (a ^ b));
    a.len() == b.len() && words == 0 && rest == 0
}

impl fmt::Debug for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Never show a token.
        f.debug_struct("Place").field("terms", &self.terms).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
