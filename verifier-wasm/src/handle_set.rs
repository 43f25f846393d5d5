//! A set of handles that is stored and searched in its wire form.

use std::cmp::Ordering;

use crate::handle::Handle;

/// A set of handles. The handles are in ascending order and are grouped by block. The encoding is a sequence of groups,
/// each in this form:
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
/// All numbers are big-endian. Blocks ascend. There are no bytes between the groups or after the last group. A set has
/// exactly one encoding. The handles of one block share the 6 bytes of the block. If an issuer's handles come from few
/// blocks, a handle takes 2 to 3 bytes.
///
/// ```
/// use doorlist_verifier::{Handle, HandleSet, list::MalformedHandles};
///
/// let [a, b, c] = [1, 2, 3].map(|number| Handle::new(number).unwrap());
/// let set = HandleSet::from_handles([b, a, b]);
/// assert_eq!(set.len(), 2);
/// assert!(set.contains(a) && !set.contains(c));
/// assert_eq!(set.iter().collect::<Vec<_>>(), [a, b]);
/// assert_eq!(HandleSet::decode(set.as_bytes())?, set);
///
/// let other = HandleSet::from_handles([b, c]);
/// assert!(set.intersects(&other));
/// assert_eq!(set.union(&other).len(), 3);
/// assert_eq!(set.difference(&other), HandleSet::from_handles([a]));
/// assert!(set.difference(&set).is_empty());
/// # Ok::<(), MalformedHandles>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct HandleSet {
    bytes: Vec<u8>,
    len: usize,
    /// The start of every [`STRIDE`]th group. A search begins at one of these groups instead of the first group.
    landmarks: Vec<u32>,
}

/// The number of groups from one landmark to the next. With 8 groups, the landmarks take half a byte per group, and a
/// search passes at most seven groups.
const STRIDE: usize = 8;

const BLOCK_LEN: usize = 6;
const COUNT_LEN: usize = 2;
const POSITION_LEN: usize = 2;

/// The bytes are not the encoding of a set of handles. Each set has exactly one valid encoding.
///
/// ```
/// use doorlist_verifier::list::{HandleSet, MalformedHandles};
///
/// assert_eq!(HandleSet::decode([0; 7]), Err(MalformedHandles), "the first group was cut off");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a set of handles")]
pub struct MalformedHandles;

impl HandleSet {
    /// Encodes handles. They may be in any order, and may repeat.
    pub fn from_handles(handles: impl IntoIterator<Item = Handle>) -> Self {
        let mut handles: Vec<Handle> = handles.into_iter().collect();
        handles.sort_unstable();
        handles.dedup();
        let mut result = Builder::default();
        for block in handles.chunk_by(|a, b| a.block() == b.block()) {
            let positions: Vec<Position> =
                block.iter().map(|handle| handle.position().to_be_bytes()).collect();
            if let Some(first) = block.first() {
                result.append(Group { block: first.block(), positions: &positions });
            }
        }
        result.set
    }

    /// Decodes the result of [`Self::as_bytes`]. Keeps only these bytes and a small index.
    ///
    /// # Errors
    /// [`MalformedHandles`] if bytes are missing or left over, if blocks or positions do not ascend strictly, or if the
    /// set contains the handle 0.
    pub fn decode(bytes: impl Into<Vec<u8>>) -> Result<Self, MalformedHandles> {
        let mut set = Self { bytes: bytes.into(), len: 0, landmarks: Vec::new() };
        let mut rest = set.bytes.as_slice();
        let mut previous_block = None;
        let mut groups = 0_usize;
        while !rest.is_empty() {
            let at = set.bytes.len().saturating_sub(rest.len());
            let group = Group::split_off(&mut rest).ok_or(MalformedHandles)?;
            if previous_block >= Some(group.block) || !group.is_well_formed() {
                return Err(MalformedHandles);
            }
            previous_block = Some(group.block);
            if groups.is_multiple_of(STRIDE) {
                set.landmarks.push(u32::try_from(at).map_err(|_| MalformedHandles)?);
            }
            groups = groups.saturating_add(1);
            set.len = set.len.saturating_add(group.positions.len());
        }
        Ok(set)
    }

    /// The encoded set.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The number of handles.
    pub const fn len(&self) -> usize {
        self.len
    }

    /// Whether the set is empty.
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Whether the set contains the handle.
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

    /// The handles in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Handle> + '_ {
        self.groups().flat_map(Group::handles)
    }

    /// The handles that are in this set, in `other`, or in both.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        self.combine(other, merge, Alone::Keep)
    }

    /// The handles of this set that are not in `other`.
    #[must_use]
    pub fn difference(&self, other: &Self) -> Self {
        self.combine(
            other,
            |ours, theirs, positions| {
                positions.extend(ours.iter().filter(|position| theirs.binary_search(position).is_err()));
            },
            Alone::Drop,
        )
    }

    /// Whether the two sets share a handle. The check costs one search per handle of the smaller set.
    pub fn intersects(&self, other: &Self) -> bool {
        let (small, large) = if self.len <= other.len { (self, other) } else { (other, self) };
        small.iter().any(|handle| large.contains(handle))
    }

    /// Walks both sets group by group. If a block is only in this set, the group of the block is copied unchanged. If a
    /// block is only in the other set, `others_alone` decides whether the group is copied. If a block is in both sets,
    /// `meet` writes the positions of the resulting group. So the walk costs little if one set is small and the other
    /// set is large.
    fn combine(
        &self,
        other: &Self,
        meet: impl Fn(&[Position], &[Position], &mut Vec<Position>),
        others_alone: Alone,
    ) -> Self {
        let mut result = Builder::default();
        let mut positions = Vec::new();
        let (ours, mut theirs) = (self.groups(), other.groups().peekable());
        for group in ours {
            while let Some(before) = theirs.next_if(|other| other.block < group.block) {
                if others_alone == Alone::Keep {
                    result.append(before);
                }
            }
            match theirs.next_if(|other| other.block == group.block) {
                None => result.append(group),
                Some(same) => {
                    positions.clear();
                    meet(group.positions, same.positions, &mut positions);
                    result.append(Group { block: group.block, positions: &positions });
                }
            }
        }
        if others_alone == Alone::Keep {
            theirs.for_each(|group| result.append(group));
        }
        result.set
    }

    fn groups(&self) -> impl Iterator<Item = Group<'_>> {
        let mut rest = self.bytes.as_slice();
        std::iter::from_fn(move || Group::split_off(&mut rest))
    }

    fn block_at(&self, landmark: u32) -> Option<u64> {
        self.tail(landmark).first_chunk().map(block_number)
    }

    fn tail(&self, landmark: u32) -> &[u8] {
        usize::try_from(landmark).ok().and_then(|at| self.bytes.get(at..)).unwrap_or_default()
    }
}

/// Whether to keep a group whose block is only in the other set.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Alone {
    Keep,
    Drop,
}

/// A set under construction. Groups are appended at its end.
#[derive(Default)]
struct Builder {
    set: HandleSet,
    groups: usize,
}

impl Builder {
    /// Appends a group whose block is above the block of the last group. An empty group is skipped.
    fn append(&mut self, group: Group<'_>) {
        let Some(last) = group.positions.len().checked_sub(1) else {
            return;
        };
        let HandleSet { bytes, len, landmarks } = &mut self.set;
        if self.groups.is_multiple_of(STRIDE) {
            // The offset always fits into 32 bits, because the longest list has 32 MiB.
            landmarks.push(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        }
        self.groups = self.groups.saturating_add(1);
        *len = len.saturating_add(group.positions.len());
        let [_, _, block @ ..] = group.block.to_be_bytes();
        bytes.extend_from_slice(&block);
        // Positions are distinct 16-bit numbers, so a group has at most 65,536 positions. The number of positions minus
        // one fits into 16 bits.
        bytes.extend_from_slice(&u16::try_from(last).unwrap_or(u16::MAX).to_be_bytes());
        bytes.extend_from_slice(group.positions.as_flattened());
    }
}

/// The low 16 bits of a handle, big-endian. In this form, the order of the bytes is also the order of the numbers.
type Position = [u8; POSITION_LEN];

/// A view of one group.
#[derive(Clone, Copy)]
struct Group<'a> {
    block: u64,
    positions: &'a [Position],
}

impl<'a> Group<'a> {
    /// Removes the first group from `rest` and returns the group. If bytes are missing, returns `None` and leaves
    /// `rest` unchanged.
    fn split_off(rest: &mut &'a [u8]) -> Option<Self> {
        let (block, tail) = rest.split_first_chunk::<BLOCK_LEN>()?;
        let (count, tail) = tail.split_first_chunk::<COUNT_LEN>()?;
        let count = usize::from(u16::from_be_bytes(*count)).checked_add(1)?;
        let (positions, tail) = tail.split_at_checked(count.checked_mul(POSITION_LEN)?)?;
        *rest = tail;
        Some(Self { block: block_number(block), positions: positions.as_chunks().0 })
    }

    /// Whether the positions ascend strictly, and the group does not contain the handle 0.
    fn is_well_formed(&self) -> bool {
        let has_zero = self.block == 0 && self.positions.first() == Some(&[0, 0]);
        !has_zero && self.positions.is_sorted_by(|a, b| a < b)
    }

    fn contains(&self, position: u16) -> bool {
        self.positions.binary_search(&position.to_be_bytes()).is_ok()
    }

    fn handles(self) -> impl Iterator<Item = Handle> + use<'a> {
        self.positions
            .iter()
            .filter_map(move |position| Handle::from_parts(self.block, u16::from_be_bytes(*position)))
    }
}

/// Merges two ascending sequences. An element that is in both sequences is written once.
fn merge(mut ours: &[Position], mut theirs: &[Position], merged: &mut Vec<Position>) {
    loop {
        match (ours, theirs) {
            ([a, rest @ ..], [b, others @ ..]) if a == b => {
                merged.push(*a);
                (ours, theirs) = (rest, others);
            }
            ([a, rest @ ..], [b, ..]) if a < b => {
                merged.push(*a);
                ours = rest;
            }
            (_, [b, others @ ..]) => {
                merged.push(*b);
                theirs = others;
            }
            (rest, []) => return merged.extend_from_slice(rest),
        }
    }
}

fn block_number(bytes: &[u8; BLOCK_LEN]) -> u64 {
    let [a, b, c, d, e, f] = *bytes;
    u64::from_be_bytes([0, 0, a, b, c, d, e, f])
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns `revoked` handles. They are chosen at equal distances from the handles of `sessions` sessions. The
    /// handles of the sessions are consecutive numbers, so they fill each block of 65,536 handles before the next block
    /// begins. A node of an issuer also uses up its block before it draws the next block.
    fn spread(sessions: u64, revoked: u64) -> HandleSet {
        let step = sessions / revoked;
        HandleSet::from_handles((0..revoked).filter_map(|number| Handle::new((9 << 16) + number * step)))
    }

    #[test]
    fn memory_for_a_handle_is_bounded() {
        for (sessions, revoked) in [(1_000_000, 10_000), (10_000_000, 100_000), (100_000_000, 100_000)] {
            let set = spread(sessions, revoked);
            assert_eq!(set.len() as u64, revoked);
            let bytes = set.bytes.len() + set.landmarks.len() * size_of::<u32>();
            assert!(bytes <= 4 * set.len(), "{bytes} bytes for {revoked} of {sessions}");
        }
    }

    #[test]
    fn the_encoded_sizes_are_the_documented_ones() {
        let sizes = [(1_000_000, 100, 328), (1_000_000, 1000, 2128), (1_000_000, 10_000, 20_128)];
        for (sessions, revoked, size) in sizes {
            assert_eq!(spread(sessions, revoked).as_bytes().len(), size, "{revoked} of {sessions}");
        }
    }

    #[test]
    fn a_full_block_is_encoded_as_one_group() {
        let set =
            HandleSet::from_handles((0..=u16::MAX).filter_map(|position| Handle::from_parts(3, position)));
        assert_eq!((set.len(), set.as_bytes().len()), (65_536, 8 + 2 * 65_536));
        assert_eq!(HandleSet::decode(set.as_bytes()), Ok(set));
    }

    #[test]
    fn malformed_bytes_are_refused() {
        for bytes in [
            &[0, 0, 0, 0, 0, 1, 0][..],
            &[0, 0, 0, 0, 0, 1, 0, 0, 0],
            &[0, 0, 0, 0, 0, 1, 0xff, 0xff, 0, 1],
            &[0, 0, 0, 0, 0, 1, 0, 1, 0, 2, 0, 2],
            &[0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            &[0, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 0, 0, 1, 0, 0, 0, 2],
        ] {
            assert_eq!(HandleSet::decode(bytes), Err(MalformedHandles), "{bytes:?}");
        }
        assert_eq!(HandleSet::decode(&[][..]), Ok(HandleSet::default()));
    }
}
