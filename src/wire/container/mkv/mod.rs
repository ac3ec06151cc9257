//! Matroska (RFC 9559) over EBML (RFC 8794): files that can be read while they are written, and
//! reading of any. Pure.
//!
//! A file being written is the EBML head, a `Segment` of unknown size with `SeekHead`, `Info`,
//! `Tracks`, room for chapters, then whole clusters of about a second each. Its end appends the
//! `Cues` and puts sizes, duration and places in.

mod codecs;
mod decode_order;
pub mod ebml;
mod header;
pub mod index;
mod lacing;
mod reader;
pub mod writer;

pub use index::{index, index_to_play};
pub use reader::Reader;
pub use writer::Writer;
