//! The viewers of recordings: who they are, and the files that they keep from deletion.

pub(in crate::server) mod connected;
pub(in crate::server) mod keeper;
