//! A point's multiples, so that multiplying it is looking up and adding.
//!
//! The scalar is cut into windows of 8 bits; for each there is a row with every multiple that its digit can ask for.
//! Digits have a sign, which halves a row: the negative of a point costs nothing. Rows are found in variable time, which
//! is right here and only here: everything that is verified is public.
//!
//! 8 bits by measurement: a whole token takes 34.2, 31.4 and 30.1 µs with 6, 7 and 8 (Node 20, interleaved), and a table
//! 215, 370 and 640 KiB.

use curve25519_dalek::edwards::EdwardsPoint;
use curve25519_dalek::scalar::Scalar;

/// A byte of a scalar, least first, is a window. A reduced scalar has 253 bits: the last window has room for a carry.
const WINDOWS: usize = 32;

/// The greatest digit, and so the length of a row: half of the 256 that a byte can say.
const ROW: usize = 128;

/// `[d · 256^i]P` for every window `i` and every digit `d` from 1 to 128: 4,096 points of 160 bytes.
#[derive(Clone)]
pub(super) struct Multiples {
    points: Vec<EdwardsPoint>,
    /// The first of the next row.
    unit: EdwardsPoint,
}

impl Multiples {
    pub(super) fn of(point: EdwardsPoint) -> Self {
        let mut multiples = Self::begun(point);
        while !multiples.are_complete() {
            multiples.add_row();
        }
        multiples
    }

    /// Of no row yet. Until all of them are there a sum lacks something.
    pub(super) fn begun(point: EdwardsPoint) -> Self {
        Self { points: Vec::with_capacity(WINDOWS.saturating_mul(ROW)), unit: point }
    }

    pub(super) const fn are_complete(&self) -> bool {
        self.points.len() >= WINDOWS.saturating_mul(ROW)
    }

    /// By additions alone, one for each point in the row.
    // Points cannot overflow.
    #[allow(clippy::arithmetic_side_effects)]
    pub(super) fn add_row(&mut self) {
        let mut multiple = self.unit;
        self.points.push(multiple);
        for _ in 1..ROW {
            multiple += self.unit;
            self.points.push(multiple);
        }
        // Twice the greatest digit is one of the next window.
        self.unit = multiple + multiple;
    }

    /// `sum + [scalar]P`, with the scalar as the integer below the group's order that it is: what is left of a point
    /// of mixed order is the same as in any other way of multiplying.
    #[allow(clippy::arithmetic_side_effects)]
    pub(super) fn add_multiple(&self, mut sum: EdwardsPoint, scalar: &Scalar) -> EdwardsPoint {
        for (row, digit) in self.points.chunks_exact(ROW).zip(digits(scalar)) {
            let Some(multiple) = digit.magnitude.checked_sub(1).and_then(|at| row.get(at)) else {
                continue;
            };
            if digit.negative {
                sum -= multiple;
            } else {
                sum += multiple;
            }
        }
        sum
    }
}

/// One window of a scalar.
struct Digit {
    /// 0 to [`ROW`].
    magnitude: usize,
    negative: bool,
}

/// The digits of a scalar, least first: what is above [`ROW`] is one of the next window, less what it lacks to that.
fn digits(scalar: &Scalar) -> impl Iterator<Item = Digit> + '_ {
    const BASE: usize = 2 * ROW;
    let mut carry = 0;
    scalar.as_bytes().iter().map(move |byte| {
        let value = usize::from(*byte).saturating_add(carry);
        let negative = value > ROW;
        carry = usize::from(negative);
        Digit { magnitude: if negative { BASE.saturating_sub(value) } else { value }, negative }
    })
}

#[cfg(test)]
mod tests {
    use curve25519_dalek::constants::{ED25519_BASEPOINT_POINT, EIGHT_TORSION};
    use curve25519_dalek::traits::Identity;

    use super::*;

    #[test]
    fn digits_add_up_at_both_ends() {
        let greatest = Scalar::ZERO - Scalar::ONE;
        for scalar in [Scalar::ZERO, Scalar::ONE, Scalar::from(128_u8), Scalar::from(129_u8), greatest] {
            let mut sum = Scalar::ZERO;
            let mut weight = Scalar::ONE;
            assert_eq!(digits(&scalar).count(), WINDOWS);
            for digit in digits(&scalar) {
                let part = weight * Scalar::from(u64::try_from(digit.magnitude).unwrap());
                sum = if digit.negative { sum - part } else { sum + part };
                weight *= Scalar::from(256_u64);
            }
            assert_eq!(sum, scalar);
        }
    }

    #[test]
    fn multiplying_is_multiplying() {
        let greatest = Scalar::ZERO - Scalar::ONE;
        for torsion in EIGHT_TORSION {
            let point = ED25519_BASEPOINT_POINT + torsion;
            let multiples = Multiples::of(point);
            for scalar in [Scalar::ZERO, Scalar::ONE, Scalar::from(u64::MAX), greatest] {
                assert_eq!(multiples.add_multiple(EdwardsPoint::identity(), &scalar), point * scalar);
            }
        }
    }
}
