//! Decides whether a number is in the range of a double. The decision needs only the digits and the exponent.

/// The digits of the smallest number that is refused: 1.7976931348623158 × 10^308, which has 309 digits before the
/// decimal point. The largest double is just below this number.
const TOO_GREAT: &[u8] = b"17976931348623158";
const TOO_GREAT_LEN: i64 = 309;

/// Whether `whole`.`fraction` × 10^`exponent` is below [`TOO_GREAT`].
pub(super) fn is_in_range(whole: &str, fraction: &str, exponent: i64) -> bool {
    let mut digits = whole.bytes().chain(fraction.bytes());
    let Some(zeros) = digits.position(|digit| digit != b'0') else {
        return true;
    };
    // The number of digits before the decimal point, not counting leading zeros.
    let len = |text: usize| i64::try_from(text).unwrap_or(i64::MAX);
    let whole_len = len(whole.len()).saturating_sub(len(zeros)).saturating_add(exponent);
    let digits = whole.bytes().chain(fraction.bytes()).skip(zeros);
    whole_len < TOO_GREAT_LEN
        || whole_len == TOO_GREAT_LEN && digits.take(TOO_GREAT.len()).lt(TOO_GREAT.iter().copied())
}
