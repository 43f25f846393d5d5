//! The `doorlist` binary.
fn main() {}
