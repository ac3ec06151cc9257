//! The replay buffer, which keeps the last seconds of the stream in memory, in complete GOPs, for
//! saving on request. The buffer takes packets on the hub's thread, and saves on the thread of the
//! caller.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use parking_lot::Mutex;

use crate::base::Timestamp;
use crate::broadcast::hub::Hub;
use crate::broadcast::hub::shared_packet::SharedPacket;
use crate::broadcast::output::{LinkEstimate, Output, OutputState, Sink};
use crate::broadcast::recorder::file::{Error, File, RecordedTracks, check_space, free_space_at};
use crate::broadcast::recorder::timeline::Timeline;
use crate::files::Trouble;
use crate::media::{EncodedPacket, RenditionId, StreamConfig, StreamEvent, Track};
use crate::wire::container::Format;

/// The duration of a group if there is only audio.
const AUDIO_GROUP_DURATION: Duration = Duration::from_secs(1);

/// Limits of the buffer.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The minimum duration of the contents, once the stream has lasted that long. The buffer
    /// exceeds this duration by less than one GOP.
    pub duration: Duration,
    /// The maximum size in bytes, regardless of the duration.
    pub bytes: usize,
}

/// The kept packets. This type is pure.
#[derive(Debug)]
struct Ring {
    room: Room,
    has_video: bool,
    /// The groups, each of which begins with a keyframe.
    groups: VecDeque<Group>,
    bytes: usize,
}

#[derive(Debug, Default)]
struct Group {
    tags: Vec<Arc<SharedPacket>>,
    bytes: usize,
}

impl Ring {
    fn push(&mut self, tag: &Arc<SharedPacket>) {
        let begun = self.groups.back().and_then(|group| group.tags.first()).map(|tag| tag.dts);
        let begins = if self.has_video {
            tag.starts_gop()
        } else {
            begun.is_none_or(|since| tag.dts.since(since) >= AUDIO_GROUP_DURATION)
        };
        if begins {
            self.groups.push_back(Group::default());
        }
        // Packets before the first keyframe are not kept.
        let Some(group) = self.groups.back_mut() else { return };
        group.bytes += tag.size();
        self.bytes += tag.size();
        group.tags.push(Arc::clone(tag));
        self.trim(tag.dts);
    }

    fn set_room(&mut self, room: Room) {
        self.room = room;
        let newest = self.groups.back().and_then(|group| group.tags.last()).map(|tag| tag.dts);
        if let Some(newest) = newest {
            self.trim(newest);
        }
    }

    fn trim(&mut self, newest: Timestamp) {
        let enough = |group: &Group, room: &Room| {
            group.tags.first().is_some_and(|first| newest.since(first.dts) >= room.duration)
        };
        // The oldest group is dropped if the remaining groups are long enough, or if there is not
        // enough space.
        while self.bytes > self.room.bytes
            || self.groups.get(1).is_some_and(|next| enough(next, &self.room))
        {
            let Some(oldest) = self.groups.pop_front() else { break };
            self.bytes -= oldest.bytes;
        }
    }
}

impl Sink for Mutex<Ring> {
    fn offer(&self, packet: &Arc<SharedPacket>) {
        let is_main = packet.rendition_id() != Some(RenditionId::Second);
        if is_main && packet.extra_rendition().is_none() {
            self.lock().push(packet);
        }
    }

    fn end(&self) {}
}

/// A running replay buffer. Dropping the value stops the buffer.
#[derive(Debug)]
pub struct Replay {
    ring: Arc<Mutex<Ring>>,
    config: StreamConfig,
}

impl Replay {
    /// Starts to keep packets, including all extra audio tracks.
    pub fn start(hub: &Hub, room: Room) -> Self {
        let config = hub.config().clone();
        let has_video = config.video.is_some();
        let ring = Ring { room, has_video, groups: VecDeque::new(), bytes: 0 };
        let ring = Arc::new(Mutex::new(ring));
        hub.attach(&ring);
        Self { ring, config }
    }

    /// Returns the limits of the buffer.
    pub fn room(&self) -> Room {
        self.ring.lock().room
    }

    /// Changes the limits of the buffer. The contents that fit stay.
    pub fn set_room(&self, room: Room) {
        self.ring.lock().set_room(room);
    }

    /// Returns the duration of the contents from the first to the last packet, and the size in
    /// bytes.
    pub fn filled(&self) -> (Duration, usize) {
        let ring = self.ring.lock();
        let first = ring.groups.front().and_then(|group| group.tags.first());
        let last = ring.groups.back().and_then(|group| group.tags.last());
        let span = first.zip(last).map(|(first, last)| last.dts.since(first.dts));
        (span.unwrap_or_default(), ring.bytes)
    }

    /// Copies the contents, with these audio tracks if they are present. The buffer continues.
    pub fn clip(&self, mut audio_tracks: RecordedTracks) -> Clip {
        let ring = self.ring.lock();
        let tags: Vec<_> =
            ring.groups.iter().flat_map(|group| group.tags.iter().cloned()).collect();
        let is_there = |track| tags.iter().any(|tag| tag.track == Track::Extra(track));
        audio_tracks.extras.retain(|extra| is_there(extra.track));
        Clip { config: self.config.clone(), audio_tracks, tags }
    }
}

impl Output for Replay {
    fn state(&self) -> OutputState {
        OutputState::Running
    }

    fn estimate(&self) -> Option<LinkEstimate> {
        None
    }

    fn backlog(&self) -> Duration {
        Duration::ZERO
    }

    fn ask_to_stop(&self, _: Duration) {}

    fn stop(&mut self, _: Duration) {}
}

/// A part of the stream in memory.
#[derive(Clone, Debug)]
pub struct Clip {
    config: StreamConfig,
    audio_tracks: RecordedTracks,
    tags: Vec<Arc<SharedPacket>>,
}

/// A clip that was saved.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// The path, which may differ from the requested one, because no file is ever overwritten.
    pub path: std::path::PathBuf,
    /// The total duration of all files.
    pub duration: Duration,
    pub bytes: u64,
}

impl Clip {
    /// Returns true if the clip is empty.
    pub fn is_empty(&self) -> bool {
        self.tags.is_empty()
    }

    /// Writes the clip to a new file, whose extension determines the format. After a change of the
    /// frame size, the clip continues in `NAME-part2`, `NAME-part3`….
    ///
    /// # Errors
    /// Fails if the clip is empty, the extension is unknown, the disk has too little free space, or
    /// the file cannot be created or written. An incomplete file is removed, because the stream's
    /// recording needs the space.
    pub fn save(&self, path: &Path) -> Result<Saved, Error> {
        self.save_in(path, free_space_at(path))
    }

    /// Writes the clip like [`Clip::save`] to a disk with this number of free bytes, if known.
    fn save_in(&self, path: &Path, free: Option<u64>) -> Result<Saved, Error> {
        let format = Format::of_path(path).ok_or_else(|| Error::of(path, Trouble::Format))?;
        check_space(path, self.bytes(), free)?;
        let mut saved: Option<Saved> = None;
        let mut files: Vec<File> = Vec::new();
        for (part, clip) in (1_u32..).zip(self.parts()) {
            let mut name = path.file_stem().unwrap_or_default().to_owned();
            name.push(format!("-part{part}.{format}"));
            let path = if part == 1 { path.to_owned() } else { path.with_file_name(name) };
            let mut timeline = Timeline::new(&clip.config);
            let made = File::create(&path, format, &clip.audio_tracks.tracks(&clip.config));
            let written = made.and_then(|mut file| {
                let written = clip.write(&mut file, &mut timeline);
                files.push(file);
                written
            });
            if let Err(error) = written {
                // The files before this one are removed as well.
                files.iter().for_each(File::remove);
                return Err(error);
            }
            let Some(file) = files.last() else { continue };
            let saved = saved.get_or_insert_with(|| Saved {
                path: file.path().to_owned(),
                duration: Duration::ZERO,
                bytes: 0,
            });
            saved.duration += timeline.end();
            saved.bytes += file.written();
        }
        saved.ok_or_else(|| Error::of(path, Trouble::Nothing))
    }

    /// Returns the size of the media in bytes.
    fn bytes(&self) -> u64 {
        self.tags.iter().map(|tag| tag.size() as u64).sum()
    }

    /// Splits the clip into parts with a constant frame size.
    fn parts(&self) -> Vec<Self> {
        let part = |config: StreamConfig| {
            let audio_tracks = self.audio_tracks.clone();
            Self { config, audio_tracks, tags: Vec::new() }
        };
        let mut parts = vec![part(self.config.clone())];
        for tag in &self.tags {
            let new = tag.rendition.as_ref().filter(|_| tag.starts_gop());
            if let Some(new) = new
                && let Some(last) = parts.last_mut()
                && last
                    .config
                    .video
                    .as_ref()
                    .is_some_and(|it| it.codec_config != new.video.codec_config)
            {
                let audio = last.config.audio.clone();
                let config = StreamConfig { video: Some(new.video.clone()), audio };
                match last.tags.is_empty() {
                    true => last.config = config,
                    false => parts.push(part(config)),
                }
            }
            if let Some(part) = parts.last_mut() {
                part.tags.push(Arc::clone(tag));
            }
        }
        parts
    }

    fn write(&self, file: &mut File, timeline: &mut Timeline) -> Result<(), Error> {
        for tag in &self.tags {
            let Some(track) = self.audio_tracks.place(&self.config, tag.track) else {
                continue;
            };
            let Some((dts, pts)) = timeline.place(tag) else { continue };
            let packet = EncodedPacket { track, dts, pts, ..EncodedPacket::clone(tag) };
            file.write(&StreamEvent::Packet(packet))?;
        }
        file.finish(timeline.end())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::broadcast::hub::gop::tests::{of_rendition, tag};
    use crate::files::disk_space::with_recording_reserve;
    use crate::media::RenditionId;

    fn fed(room: Room, to: i64) -> Ring {
        let mut ring = Ring { room, has_video: true, groups: VecDeque::new(), bytes: 0 };
        for dts in (500..to).step_by(20) {
            if dts % 40 == 0 {
                ring.push(&tag(Track::Video, dts));
            }
            ring.push(&tag(Track::Audio, dts));
            let sum: usize = ring.groups.iter().map(|group| group.bytes).sum();
            assert!(ring.bytes == sum && sum <= room.bytes);
        }
        ring
    }

    #[test]
    fn keeps_at_least_what_was_asked_and_less_than_a_group_more() {
        let room = Room { duration: Duration::from_secs(5), bytes: 1 << 20 };
        for to in [20_000, 21_000, 21_980] {
            let ring = fed(room, to);
            let first = &ring.groups[0].tags[0];
            assert!(first.starts_gop());
            let kept = to - first.dts.as_millis();
            assert!((5_000..=7_000).contains(&kept), "{to}: {kept}");
        }
        assert_eq!(fed(room, 1_900).groups.len(), 0, "no keyframe yet");
    }

    #[test]
    fn new_limits_keep_the_contents_that_fit() {
        let room = |seconds| Room { duration: Duration::from_secs(seconds), bytes: 1 << 20 };
        let mut ring = fed(room(10), 30_000);
        let kept = |ring: &Ring| 30_000 - ring.groups[0].tags[0].dts.as_millis();
        let before = kept(&ring);
        ring.set_room(room(60));
        assert_eq!(kept(&ring), before);
        ring.set_room(room(5));
        assert!((5_000..=7_000).contains(&kept(&ring)), "{}", kept(&ring));
        ring.set_room(Room { bytes: 0, ..room(5) });
        assert_eq!((ring.groups.len(), ring.bytes), (0, 0));
    }

    #[test]
    fn a_clip_whose_frame_changes_its_size_becomes_one_file_for_each() {
        let folder = tempfile::tempdir().unwrap();
        let mut small = of_rendition(RenditionId::Main, 0).rendition.unwrap().as_ref().clone();
        small.video.size = crate::media::Size::new(320, 90);
        small.video.codec_config = bytes::Bytes::from_static(&[1, 77, 0, 30, 0xff, 0xe0, 0]);
        let small = Arc::new(small);
        let frame = |dts| {
            let packet = of_rendition(RenditionId::Main, dts);
            let smaller = (4_000..8_000).contains(&dts);
            let rendition = smaller.then(|| Arc::clone(&small)).or(packet.rendition.clone());
            Arc::new(SharedPacket::new(crate::media::EncodedPacket { rendition, ..packet }))
        };
        let tags = (0..10_000).step_by(40).map(frame).collect();
        let video = of_rendition(RenditionId::Main, 0).rendition.unwrap().video.clone();
        let config = StreamConfig { video: Some(video), audio: None };
        let clip = Clip { config, audio_tracks: RecordedTracks::default(), tags };
        let saved = clip.save(&folder.path().join("x.mp4")).unwrap();
        assert_eq!(saved.duration, Duration::from_secs(10));
        let names = ["x.mp4", "x-part2.mp4", "x-part3.mp4"];
        assert!(names.iter().all(|name| folder.path().join(name).exists()));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
        // If one file cannot be created, none is kept.
        let long = "x".repeat(250);
        let error = clip.save(&folder.path().join(format!("{long}.mp4"))).unwrap_err();
        assert_eq!(error.kind, crate::files::Trouble::NameTooLong);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3);
    }

    #[test]
    fn a_clip_leaves_space_for_the_recording() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.mp4");
        let frame = |dts| Arc::new(SharedPacket::new(of_rendition(RenditionId::Main, dts)));
        let tags: Vec<_> = (0..4).map(|number| frame(number * 40)).collect();
        let video = of_rendition(RenditionId::Main, 0).rendition.unwrap().video.clone();
        let config = StreamConfig { video: Some(video), audio: None };
        let clip = Clip { config, audio_tracks: RecordedTracks::default(), tags };
        let needed = with_recording_reserve(clip.bytes());
        assert!(needed > with_recording_reserve(0));
        let error = clip.save_in(&path, Some(needed - 1)).unwrap_err();
        assert_eq!(error.kind, Trouble::Full);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        for free in [Some(needed), None] {
            clip.save_in(&path, free).unwrap();
        }
    }

    #[test]
    fn never_takes_more_memory_than_it_may() {
        let ring = fed(Room { duration: Duration::from_secs(60), bytes: 2_000 }, 60_000);
        assert!(!ring.groups.is_empty());
        assert!(ring.groups[0].tags[0].starts_gop());
        // A single group exceeds the limit: nothing is kept until the next group.
        fed(Room { duration: Duration::from_secs(60), bytes: 100 }, 10_000);
    }
}
