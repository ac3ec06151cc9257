//! MP4 (ISO/IEC 14496-12, -14 and -15): files that are fragmented while they are written and
//! ordinary once they are finished, and reading of both kinds. Pure.
//!
//! A file being written is `ftyp`, a `free` of sixteen bytes, a `moov` without samples, then `moof`
//! and `mdat` by turns, each at most about a second. Its end appends the titles of chapters, if there
//! are any (in an `mdat` of their own), and a `moov` with all samples, and turns the sixteen bytes into
//! the header of one `mdat` that covers everything before those: an ordinary file, without moving a
//! byte of the media. A crash between the two leaves a file that still plays by its fragments.

pub mod boxes;
mod chapters;
pub mod codec_names;
mod encryption;
mod fragment;
mod fragments;
pub mod live;
mod movie;
mod pcm;
mod reader;
pub mod sample_table;
mod track_boxes;
pub mod writer;

pub use encryption::{EncryptedTrack, Scheme};
pub use reader::{FileIndex, Reader, index, index_sealed, index_to_play, survey};
pub use writer::Writer;
