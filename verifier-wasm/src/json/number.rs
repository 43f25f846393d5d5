//! The range of a double, told from the digits of a number alone.

/// Numbers from this up are refused: these digits, the point after the 309th. A double ends just below.
const TOO_GREAT: &[u8] = b"17976931348623158";
const TOO_GREAT_LEN: i64 = 309;

/// Whether `whole`.`fraction` × 10^`exponent` is below [`TOO_GREAT`].
pub(super) fn is_in_range(whole: &str, fraction: &str, exponent: i64) -> bool {
    let mut digits = whole.bytes().chain(fraction.bytes());
    let Some(zeros) = digits.position(|digit| digit != b'0') else {
        return true;
    };
    // Digits in front of the point, once there are no zeros in front of them.
    let len = |text: usize| i64::try_from(text).unwrap_or(i64::MAX);
    let whole_len = len(whole.len()).saturating_sub(len(zeros)).saturating_add(exponent);
    let digits = whole.bytes().chain(fraction.bytes()).skip(zeros);
    whole_len < TOO_GREAT_LEN
        || whole_len == TOO_GREAT_LEN && digits.take(TOO_GREAT.len()).lt(TOO_GREAT.iter().copied())
}
