//! Stores blocks of the delay on the disk, in unnamed files that only their owner can read, so that
//! onair leaves no files behind. The keeper's thread calls this module.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use bytes::{Buf, BufMut, Bytes, BytesMut};

use crate::base::Timestamp;
use crate::broadcast::delay::store::HeldPiece;
use crate::broadcast::hub::shared_packet::{Configurations, SharedPacket};
use crate::files::disk_space::with_recording_reserve;
use crate::files::free_space_for;
use crate::media::{EncodedPacket, ExtraRendition, ExtraTrack, Priority, Rendition, Track};
use crate::platform::files::make_private;

/// Size in bytes of four timestamps, three flags, the rendition, the configs, the data offset, and
/// the length.
const RECORD_HEADER_BYTES: usize = 4 * 8 + 3 + 2 + 4 + 4;
/// Maximum number of renditions, and of changes of the configs, in a block on the disk. A block
/// with more, which does not occur in practice, stays in memory.
const MAX_FORMATS: usize = 250;
/// The number of the first further rendition. Lower numbers are those of audio tracks.
const FIRST_RENDITION: u8 = 0x80;

/// The folder that contains the files.
#[derive(Debug)]
pub(super) struct Spool {
    folder: PathBuf,
}

/// A block on the disk. Dropping the value frees the disk space.
#[derive(Debug)]
pub(super) struct StoredBlock {
    file: File,
    bytes: usize,
    /// The renditions of the block's frames, which stay in memory. The block refers to the
    /// renditions by number, counted from 1.
    renditions: Vec<Arc<Rendition>>,
    /// The codec configs of the block's packets, which stay in memory in the same way.
    configurations: Vec<Configurations>,
}

impl Spool {
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// Writes a block to the disk, unless the disk has too little free space.
    pub fn store(&self, tags: &[HeldPiece]) -> io::Result<StoredBlock> {
        self.store_in(tags, free_space_for(&self.folder))
    }

    /// Writes a block like [`Spool::store`] to a disk with this number of free bytes, if known.
    fn store_in(&self, tags: &[HeldPiece], free: Option<u64>) -> io::Result<StoredBlock> {
        let size: usize =
            tags.iter().map(|held| RECORD_HEADER_BYTES + held.tag.flv_body().len()).sum();
        if free.is_some_and(|free| free < with_recording_reserve(size as u64)) {
            return Err(io::ErrorKind::StorageFull.into());
        }
        std::fs::create_dir_all(&self.folder)?;
        let mut block = BytesMut::with_capacity(size);
        let (mut renditions, mut configurations) = (Vec::new(), Vec::new());
        for held in tags {
            let tag = &held.tag;
            for time in [held.arrived, tag.dts, tag.pts, tag.captured] {
                block.put_i64(time.as_micros());
            }
            block.put_u8(match tag.track {
                Track::Video => 0,
                Track::Audio => 1,
                Track::Extra(track) => track.number(),
                Track::Rendition(its) => FIRST_RENDITION + its.place() as u8,
            });
            block.put_u8(u8::from(tag.keyframe) | u8::from(tag.leads) << 1);
            block.put_u8(match tag.priority {
                Priority::Disposable => 0,
                Priority::Inter => 1,
                Priority::Key => 2,
            });
            block.put_u8(number_of(tag.rendition.as_ref(), &mut renditions)?);
            block.put_u8(number_of(tag.configurations.as_ref(), &mut configurations)?);
            // The data is at the end of the body.
            let body = tag.flv_body();
            for number in [body.len().saturating_sub(tag.data.len()), body.len()] {
                block.put_u32(u32::try_from(number).map_err(io::Error::other)?);
            }
            block.put_slice(body);
        }
        let mut file = tempfile::tempfile_in(&self.folder)?;
        make_private(&file)?;
        file.write_all(&block)?;
        Ok(StoredBlock { file, bytes: block.len(), renditions, configurations })
    }
}

/// Returns the number of a value that stays in memory, or 0 for no value.
fn number_of<T: ?Sized>(its: Option<&Arc<T>>, known: &mut Vec<Arc<T>>) -> io::Result<u8> {
    let Some(its) = its else { return Ok(0) };
    let place = known.iter().position(|known| Arc::ptr_eq(known, its)).unwrap_or_else(|| {
        known.push(Arc::clone(its));
        known.len() - 1
    });
    if place >= MAX_FORMATS {
        return Err(io::Error::other("too many changes of the format"));
    }
    u8::try_from(place + 1).map_err(io::Error::other)
}

/// Returns the value with a number from [`number_of`].
fn of_number<T: ?Sized>(number: u8, known: &[Arc<T>]) -> Option<Option<Arc<T>>> {
    let Some(place) = usize::from(number).checked_sub(1) else { return Some(None) };
    known.get(place).cloned().map(Some)
}

impl StoredBlock {
    /// Reads the block back.
    pub fn load(mut self) -> io::Result<Vec<HeldPiece>> {
        let mut block = vec![0; self.bytes];
        self.file.seek(SeekFrom::Start(0))?;
        self.file.read_exact(&mut block)?;
        let mut block = Bytes::from(block);
        let mut tags = Vec::new();
        while !block.is_empty() {
            let held = read(&mut block, &self.renditions, &self.configurations);
            tags.push(held.ok_or(io::ErrorKind::InvalidData)?);
        }
        Ok(tags)
    }
}

fn read(
    block: &mut Bytes,
    renditions: &[Arc<Rendition>],
    configurations: &[Configurations],
) -> Option<HeldPiece> {
    let mut time = || Some(Timestamp::from_micros(block.try_get_i64().ok()?));
    let (arrived, dts, pts, captured) = (time()?, time()?, time()?, time()?);
    let track = match block.try_get_u8().ok()? {
        0 => Track::Video,
        1 => Track::Audio,
        number => match number.checked_sub(FIRST_RENDITION) {
            Some(place) => Track::Rendition(ExtraRendition::at(place.into())?),
            None => Track::Extra(ExtraTrack::new(number)?),
        },
    };
    let marks = block.try_get_u8().ok()?;
    let (keyframe, leads) = (marks & 1 != 0, marks & 2 != 0);
    let priority = match block.try_get_u8().ok()? {
        0 => Priority::Disposable,
        1 => Priority::Inter,
        _ => Priority::Key,
    };
    let rendition = of_number(block.try_get_u8().ok()?, renditions)?;
    let configurations = of_number(block.try_get_u8().ok()?, configurations)?;
    let front = block.try_get_u32().ok()? as usize;
    let length = block.try_get_u32().ok()? as usize;
    let body = (length <= block.len()).then(|| block.split_to(length))?;
    let data = (front <= length).then(|| body.slice(front..))?;
    let packet = EncodedPacket { track, pts, dts, keyframe, priority, data, captured, rendition };
    let packet = SharedPacket::with_body(packet, body).leading(leads).under(configurations);
    Some(HeldPiece { arrived, tag: Arc::new(packet) })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::hub::gop::tests::tag;

    #[test]
    fn what_is_put_away_comes_back_as_it_was_and_leaves_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(&folder.path().join("new"));
        let config: Configurations = [(Track::Video, Bytes::from_static(b"config"))].into();
        let held: Vec<HeldPiece> = (0..200)
            .map(|at| {
                let track = match at % 3 {
                    0 => Track::Video,
                    1 => Track::Audio,
                    _ => Track::Extra(ExtraTrack::new(2).unwrap()),
                };
                let packet = SharedPacket::clone(&tag(track, at * 20));
                let tag = Arc::new(packet.under((at > 90).then(|| Arc::clone(&config))));
                HeldPiece { arrived: Timestamp::from_millis(at * 7), tag }
            })
            .collect();
        let stored = spool.store(&held).unwrap();
        let names = std::fs::read_dir(folder.path().join("new")).unwrap().count();
        assert_eq!(names, 0, "the file has a name");
        let back = stored.load().unwrap();
        let of = |held: &[HeldPiece]| -> Vec<String> {
            let of = |it: &HeldPiece| {
                let configs = &it.tag.configurations;
                format!("{:?} {:?} {:?} {configs:?}", it.arrived, &**it.tag, it.tag.flv_body())
            };
            held.iter().map(of).collect()
        };
        assert_eq!(of(&back), of(&held));
    }

    #[test]
    fn a_block_leaves_space_for_the_recording() {
        let folder = tempfile::tempdir().unwrap();
        let spool = Spool::new(folder.path());
        let held = [HeldPiece { arrived: Timestamp::ZERO, tag: tag(Track::Video, 0) }];
        let stored = spool.store_in(&held, None).unwrap();
        let needed = with_recording_reserve(stored.bytes as u64);
        let error = spool.store_in(&held, Some(needed - 1)).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        spool.store_in(&held, Some(needed)).unwrap();
    }

    #[cfg(unix)]
    #[test]
    fn the_file_is_its_owners_alone() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let stored = Spool::new(folder.path()).store(&[]).unwrap();
        assert_eq!(stored.file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    }

    #[test]
    fn a_file_that_was_cut_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let held = [HeldPiece { arrived: Timestamp::ZERO, tag: tag(Track::Video, 0) }];
        let stored = Spool::new(folder.path()).store(&held).unwrap();
        stored.file.set_len(20).unwrap();
        assert!(stored.load().is_err());
    }
}
