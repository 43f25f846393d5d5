//! `/admin/*`: for operators and trusted back ends that send the admin key.

pub(super) mod cutoff;
pub(super) mod keys;
pub(super) mod sessions;
pub(super) mod subjects;
