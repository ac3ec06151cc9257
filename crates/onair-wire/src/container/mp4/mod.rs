//! MP4 (ISO/IEC 14496-12, -14 and -15): writes files that are fragmented during recording and
//! ordinary at the end, and reads both kinds. This module has no I/O.
//!
//! A file in progress has `ftyp`, a `free` box of sixteen bytes, a `moov` without samples, and then
//! alternating `moof` and `mdat`, each of at most about a second. At the end, the writer appends
//! the chapter titles, if any (in their own `mdat`), and a `moov` with all samples. It also turns
//! the `free` box into the header of one `mdat` that covers everything before the `moov`. The
//! result is an ordinary file, and no media byte was moved. After a crash before the end, the file
//! still plays by its fragments.

pub mod boxes;
mod chapters;
pub mod codec_names;
mod colors;
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

pub use encryption::{EncryptedSample, Scheme};
pub use reader::{
    FileIndex, Reader, index, index_encrypted, index_to_play, limited_index_to_play, survey,
};
pub use writer::Writer;
