//! A set of handles in its wire form, searched as it stands there.

use std::cmp::Ordering;
use std::iter::Peekable;

use crate::handle::Handle;

/// Handles in ascending order, grouped by block; `n` groups of
///
/// ```text
///  0            6        8                      8 + 2 × count
/// +------------+--------+--------+-- … --+--------+
/// |   block    | count  |  pos.  |       |  pos.  |
/// |            |  − 1   |        |       |        |
/// +------------+--------+--------+-- … --+--------+
///    6 bytes    2 bytes   count × 2 bytes, ascending
/// ```
///
/// all big-endian, blocks ascending, nothing between groups or after the last. A set has one encoding. Handles of
/// one block share its 6 bytes: 2 to 3 bytes a handle where an issuer's handles come from few blocks.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandleSet {
    bytes: Vec<u8>,
    len: usize,
    /// Where every [`STRIDE`]th group begins, so that a search need not walk from the front.
    landmarks: Vec<u32>,
}

/// Groups from one landmark to the next: half a byte of index a group, and a walk of at most seven.
const STRIDE: usize = 8;

const BLOCK_LEN: usize = 6;
const COUNT_LEN: usize = 2;
const POSITION_LEN: usize = 2;

/// The bytes are not a set of handles in its one encoding.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a set of handles")]
pub struct MalformedHandles;

impl HandleSet {
    /// Writes handles down, in any order, duplicates allowed.
    pub fn from_handles(handles: impl IntoIterator<Item = Handle>) -> Self {
        let mut handles: Vec<Handle> = handles.into_iter().collect();
        handles.sort_unstable();
        handles.dedup();
        Self::from_ascending(handles.into_iter())
    }

    /// Reads what [`Self::as_bytes`] wrote. Holds no more than the bytes themselves and a small index.
    ///
    /// # Errors
    /// [`MalformedHandles`] for bytes missing or left over, blocks or positions that do not ascend strictly, and
    /// the handle 0.
    pub fn decode(bytes: impl Into<Vec<u8>>) -> Result<Self, MalformedHandles> {
        let mut set = Self { bytes: bytes.into(), len: 0, landmarks: Vec::new() };
        let mut rest = set.bytes.as_slice();
        let mut previous_block = None;
        let mut groups = 0_usize;
        while !rest.is_empty() {
            let at = set.bytes.len().saturating_sub(rest.len());
            let group = Group::split_off(&mut rest).ok_or(MalformedHandles)?;
            if previous_block.is_some_and(|previous| previous >= group.block) || !group.is_ascending() {
                return Err(MalformedHandles);
            }
            previous_block = Some(group.block);
            if groups.is_multiple_of(STRIDE) {
                set.landmarks.push(u32::try_from(at).map_err(|_| MalformedHandles)?);
            }
            groups = groups.saturating_add(1);
            set.len = set.len.saturating_add(group.count());
        }
        Ok(set)
    }

    /// The encoding.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// How many handles.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the handle is one of them.
    pub fn contains(&self, handle: Handle) -> bool {
        let block = handle.block();
        let after =
            self.landmarks.partition_point(|at| self.block_at(*at).is_some_and(|other| other <= block));
        let Some(landmark) = after.checked_sub(1).and_then(|index| self.landmarks.get(index)) else {
            return false;
        };
        let mut rest = self.tail(*landmark);
        while let Some(group) = Group::split_off(&mut rest) {
            match group.block.cmp(&block) {
                Ordering::Less => {}
                Ordering::Equal => return group.contains(handle.position()),
                Ordering::Greater => return false,
            }
        }
        false
    }

    /// The handles, ascending.
    pub fn iter(&self) -> impl Iterator<Item = Handle> + '_ {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || Group::split_off(&mut rest)).flat_map(|group| group.handles())
    }

    /// The handles of both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        if self.is_empty() {
            return other.clone();
        }
        if other.is_empty() {
            return self.clone();
        }
        Self::from_ascending(merge(self.iter(), other.iter()))
    }

    /// The handles that `other` does not hold.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        Self::from_ascending(self.iter().filter(|handle| !other.contains(*handle)))
    }

    /// Whether they share a handle; costs one search for each handle of the smaller.
    pub fn intersects(&self, other: &Self) -> bool {
        let (small, large) = if self.len <= other.len { (self, other) } else { (other, self) };
        small.iter().any(|handle| large.contains(handle))
    }

    fn from_ascending(handles: impl Iterator<Item = Handle>) -> Self {
        let mut set = Self::default();
        let mut handles = handles.peekable();
        let mut positions = Vec::new();
        let mut groups = 0_usize;
        while let Some(first) = handles.next() {
            positions.clear();
            positions.push(first.position());
            while let Some(next) = handles.next_if(|next| next.block() == first.block()) {
                positions.push(next.position());
            }
            if groups.is_multiple_of(STRIDE) {
                // Four billion bytes of handles do not come together in one process: 32 MiB is the longest list.
                set.landmarks.push(u32::try_from(set.bytes.len()).unwrap_or(u32::MAX));
            }
            groups = groups.saturating_add(1);
            set.append(first.block(), &positions);
        }
        set
    }

    fn append(&mut self, block: u64, positions: &[u16]) {
        let [_, _, block @ ..] = block.to_be_bytes();
        self.bytes.extend_from_slice(&block);
        // At most 65,536 positions differ, so one less fits.
        let count = u16::try_from(positions.len().saturating_sub(1)).unwrap_or(u16::MAX);
        self.bytes.extend_from_slice(&count.to_be_bytes());
        self.bytes.extend(positions.iter().flat_map(|position| position.to_be_bytes()));
        self.len = self.len.saturating_add(positions.len());
    }

    fn block_at(&self, landmark: u32) -> Option<u64> {
        self.tail(landmark).first_chunk().map(block_number)
    }

    fn tail(&self, landmark: u32) -> &[u8] {
        usize::try_from(landmark).ok().and_then(|at| self.bytes.get(at..)).unwrap_or_default()
    }
}

/// One group, seen in place.
#[derive(Clone, Copy)]
struct Group<'a> {
    block: u64,
    positions: &'a [[u8; POSITION_LEN]],
}

impl<'a> Group<'a> {
    /// Takes the first group from the front; `None` when its bytes are missing, and then takes nothing.
    fn split_off(rest: &mut &'a [u8]) -> Option<Self> {
        let (block, tail) = rest.split_first_chunk::<BLOCK_LEN>()?;
        let (count, tail) = tail.split_first_chunk::<COUNT_LEN>()?;
        let count = usize::from(u16::from_be_bytes(*count)).checked_add(1)?;
        let (positions, tail) = tail.split_at_checked(count.checked_mul(POSITION_LEN)?)?;
        *rest = tail;
        Some(Self { block: block_number(block), positions: positions.as_chunks().0 })
    }

    const fn count(&self) -> usize {
        self.positions.len()
    }

    fn is_ascending(&self) -> bool {
        let starts_at_zero = self.block == 0 && self.positions.first() == Some(&[0, 0]);
        !starts_at_zero && self.positions.is_sorted_by(|a, b| a < b)
    }

    fn contains(&self, position: u16) -> bool {
        // Big-endian bytes compare as the numbers do.
        self.positions.binary_search(&position.to_be_bytes()).is_ok()
    }

    fn handles(self) -> impl Iterator<Item = Handle> + use<'a> {
        self.positions
            .iter()
            .filter_map(move |position| Handle::from_parts(self.block, u16::from_be_bytes(*position)))
    }
}

fn block_number(bytes: &[u8; BLOCK_LEN]) -> u64 {
    let [a, b, c, d, e, f] = *bytes;
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

/// Two ascending sequences as one, what is in both once.
fn merge(
    left: impl Iterator<Item = Handle>,
    right: impl Iterator<Item = Handle>,
) -> impl Iterator<Item = Handle> {
    let (mut left, mut right): (Peekable<_>, Peekable<_>) = (left.peekable(), right.peekable());
    std::iter::from_fn(move || match (left.peek(), right.peek()) {
        (Some(a), Some(b)) => match a.cmp(b) {
            Ordering::Less => left.next(),
            Ordering::Greater => right.next(),
            Ordering::Equal => {
                right.next();
                left.next()
            }
        },
        (Some(_), None) => left.next(),
        (None, _) => right.next(),
    })
}
