//! The initial data for a new viewer: metadata, codec configs, and the video and audio since the
//! last keyframe. The size of this data is limited, and so is the age of audio without frames.

use std::sync::Arc;

use bytes::Bytes;

use crate::server::stream::message::{Class, Message, MessageVersion};
use crate::server::stream::viewer_queue::ENTRY_OVERHEAD_BYTES;
use crate::wire::container::flv::TagKind;

/// Maximum number of codec configs, enough for several tracks of audio and video.
const MAX_CODEC_CONFIGS: usize = 32;
/// Maximum size of the metadata and codec configs of one stream, in bytes. Real encoders send a few
/// hundred bytes.
const MAX_HEADER_BYTES: usize = 1 << 20;
/// If the video stops for longer than this, only the newest audio is kept. Otherwise, new viewers
/// would start far in the past.
const MAX_AUDIO_WITHOUT_FRAMES_MS: u32 = 10_000;
/// Maximum number of bytes by which an FLV tag is longer than the message over RTMP.
const FLV_EXCESS_BYTES: usize = 3;

/// The cache of one stream.
#[derive(Debug, Default)]
pub(crate) struct Cache {
    metadata: Option<Arc<Message>>,
    /// Codec configs, each with its mark.
    headers: Vec<Arc<Message>>,
    /// The number of versions of metadata and configs so far.
    versions: u32,
    group: Vec<Arc<Message>>,
    /// The cost of the group in a viewer's queue.
    group_bytes: usize,
    /// Number of messages at the start of the group that are known to be frames.
    only_frames: usize,
    /// The time of the first audio after the newest frame.
    frameless_since_ms: Option<u32>,
}

/// Returns the maximum cost of a message in a viewer's queue.
fn cost(message: &Arc<Message>) -> usize {
    message.weight() + ENTRY_OVERHEAD_BYTES + FLV_EXCESS_BYTES
}

/// The treatment of a message by the cache.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) enum CacheRule {
    Metadata,
    /// A codec config; one per slot (track) is kept.
    Header(u16),
    Media,
    Nothing,
}

/// There is no room for a codec config.
#[derive(Copy, Clone, Debug, PartialEq, Eq)]
pub(crate) struct TooLarge;

impl Cache {
    /// Returns the mark of a cached message, or `None` for all other messages. A body that is
    /// already cached keeps its mark.
    ///
    /// # Errors
    /// Fails if there is no room for a codec config. Metadata that does not fit is not cached, and
    /// is droppable like media.
    pub fn mark(
        &mut self,
        kind: TagKind,
        keep: CacheRule,
        body: &Bytes,
    ) -> Result<Option<MessageVersion>, TooLarge> {
        let slot = match keep {
            CacheRule::Metadata => 0,
            CacheRule::Header(slot) => slot,
            CacheRule::Media | CacheRule::Nothing => return Ok(None),
        };
        let known = self.kept().find(|it| it.mark.map(MessageVersion::slot) == Some((kind, slot)));
        if let Some(known) = known.filter(|known| known.body() == *body) {
            return Ok(known.mark);
        }
        let others: usize = self.kept().map(|it| it.weight()).sum();
        let others = others - known.map_or(0, |it| it.weight());
        let crowded = known.is_none() && self.headers.len() >= MAX_CODEC_CONFIGS;
        match keep {
            CacheRule::Metadata if others + body.len() > MAX_HEADER_BYTES => return Ok(None),
            CacheRule::Header(_) if crowded || others + body.len() > MAX_HEADER_BYTES => {
                return Err(TooLarge);
            }
            _ => {}
        }
        self.versions += 1;
        Ok(Some(MessageVersion { kind, slot, version: self.versions }))
    }

    /// Returns true if the codec config with this mark replaces another one.
    pub fn is_change(&self, mark: MessageVersion) -> bool {
        let mut marks = self.headers.iter().filter_map(|header| header.mark);
        marks.any(|known| known.slot() == mark.slot() && known != mark)
    }

    fn kept(&self) -> impl Iterator<Item = &Arc<Message>> {
        self.metadata.iter().chain(&self.headers)
    }

    /// Stores a message for new viewers. A viewer's queue of `limit` bytes has room for all stored
    /// data.
    pub fn store(&mut self, message: &Arc<Message>, keep: CacheRule, limit: usize) {
        match keep {
            CacheRule::Metadata if message.mark.is_some() => {
                self.metadata = Some(Arc::clone(message));
            }
            CacheRule::Header(_) => self.store_header(message),
            CacheRule::Media => self.store_media(message),
            CacheRule::Metadata | CacheRule::Nothing => {}
        }
        if self.group_bytes + self.kept().map(cost).sum::<usize>() > limit {
            // New viewers wait for the next frame at which decoding can start.
            self.forget_group();
        }
    }

    fn store_media(&mut self, message: &Arc<Message>) {
        if message.class == Class::Key {
            self.forget_group();
        } else if self.group.is_empty() {
            return;
        }
        if message.kind == TagKind::Audio {
            let since = *self.frameless_since_ms.get_or_insert(message.time_ms);
            let ahead = message.time_ms.wrapping_sub(since);
            // Times can go back.
            if ahead.min(ahead.wrapping_neg()) > MAX_AUDIO_WITHOUT_FRAMES_MS {
                self.forget_audio();
            }
        } else {
            self.frameless_since_ms = None;
        }
        self.group_bytes += cost(message);
        self.group.push(Arc::clone(message));
    }

    /// Drops the audio of the group. The frames stay, because later frames need them.
    fn forget_audio(&mut self) {
        let is_audio = |message: &mut Arc<Message>| message.kind == TagKind::Audio;
        // Frames are not searched again each time the video stops.
        let dropped = self.group.extract_if(self.only_frames.., is_audio);
        self.group_bytes -= dropped.map(|message| cost(&message)).sum::<usize>();
        self.only_frames = self.group.len();
    }

    fn store_header(&mut self, message: &Arc<Message>) {
        let Some(mark) = message.mark else { return };
        let slot = mark.slot();
        let known =
            self.headers.iter_mut().find(|it| it.mark.map(MessageVersion::slot) == Some(slot));
        match known {
            Some(old) => {
                let same = old.mark == Some(mark);
                *old = Arc::clone(message);
                if !same {
                    // Data after a new config cannot be decoded with earlier data.
                    self.forget_group();
                }
            }
            None => self.headers.push(Arc::clone(message)),
        }
    }

    /// Keeps the form of the publisher for all viewers, and no AAC instead of Opus, whose config has this slot. Returns the
    /// codec configs that viewers without Opus have not got.
    pub fn end_aac(&mut self, slot: u16) -> Vec<Arc<Message>> {
        let is_aac =
            |it: &Arc<Message>| it.mark.map(MessageVersion::slot) == Some((TagKind::Audio, slot));
        self.headers.retain(|header| !is_aac(header));
        if self.group.iter().any(|message| message.is_replacing_opus()) {
            self.forget_group();
        }
        let whole = |it: &Arc<Message>| Arc::new(Message::clone(it).with_form_without_opus(None));
        let withheld = |it: &&mut Arc<Message>| it.has_form_without_opus();
        self.metadata.iter_mut().filter(withheld).for_each(|it| *it = whole(it));
        let mut changed = Vec::new();
        for header in self.headers.iter_mut().filter(withheld) {
            *header = whole(header);
            changed.push(Arc::clone(header));
        }
        changed
    }

    fn forget_group(&mut self) {
        self.group.clear();
        (self.group_bytes, self.only_frames, self.frameless_since_ms) = (0, 0, None);
    }

    /// Clears the cache, because the publisher has left.
    pub fn forget(&mut self) {
        // Versions continue, because queues may still contain data of the last publisher.
        *self = Self { versions: self.versions, ..Self::default() };
    }

    /// Returns the codec configs of the video, and its last keyframe if it is the start of the GOP.
    pub fn keyframe(&self) -> Option<Vec<Arc<Message>>> {
        let key = self.group.first().filter(|message| message.class == Class::Key)?;
        let configs = self.headers.iter().filter(|message| message.kind == TagKind::Video);
        Some(configs.chain([key]).cloned().collect())
    }

    /// Returns true if the stream has video, but no frame at which a new viewer could start.
    pub fn waits_for_keyframe(&self) -> bool {
        self.group.is_empty() && self.headers.iter().any(|header| header.kind == TagKind::Video)
    }

    /// Returns the data for a new viewer in order: metadata, codec configs (video first), the GOP.
    pub fn for_late_joiner(&self) -> Vec<Arc<Message>> {
        let of = |kind| self.headers.iter().filter(move |it| it.kind == kind);
        let headers = of(TagKind::Video).chain(of(TagKind::Audio));
        self.metadata.iter().chain(headers).chain(&self.group).cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Stores a body of this length as the stream does.
    fn store(cache: &mut Cache, class: Class, time_ms: u32, body: &Bytes, keep: CacheRule) {
        let kind = if keep == CacheRule::Metadata { TagKind::Script } else { TagKind::Video };
        let mark = cache.mark(kind, keep, body).unwrap();
        let message = Arc::new(Message::new(kind, class, time_ms, body).with_mark(mark));
        cache.store(&message, keep, 1_000);
    }

    fn times(cache: &Cache) -> Vec<u32> {
        cache.for_late_joiner().iter().map(|message| message.time_ms).collect()
    }

    #[test]
    fn a_group_begins_at_each_keyframe_and_is_bounded() {
        let mut cache = Cache::default();
        let mut store = |class, time, length, keep| {
            store(&mut cache, class, time, &Bytes::from(vec![0; length]), keep);
            times(&cache)
        };
        store(Class::Vital, 1, 10, CacheRule::Header(0));
        assert_eq!(store(Class::Inter, 2, 10, CacheRule::Media), [1]);
        store(Class::Key, 3, 10, CacheRule::Media);
        assert_eq!(store(Class::Inter, 4, 10, CacheRule::Media), [1, 3, 4]);
        assert_eq!(store(Class::Key, 5, 10, CacheRule::Media), [1, 5]);
        assert_eq!(store(Class::Vital, 6, 10, CacheRule::Header(0)), [6, 5], "the same again");
        assert_eq!(store(Class::Inter, 7, 990, CacheRule::Media), [6], "too long");
        store(Class::Key, 8, 10, CacheRule::Media);
        assert_eq!(store(Class::Vital, 9, 11, CacheRule::Header(0)), [9], "another configuration");
    }

    #[test]
    fn audio_without_frames_does_not_grow_old() {
        let mut cache = Cache::default();
        let mut store = |class, time, keep| {
            let body = Bytes::from_static(b"body");
            let mark = cache.mark(TagKind::Video, keep, &body).unwrap();
            let kind = if class == Class::Audio { TagKind::Audio } else { TagKind::Video };
            let message = Arc::new(Message::new(kind, class, time, &body).with_mark(mark));
            cache.store(&message, keep, 1 << 20);
            times(&cache)
        };
        store(Class::Vital, 0, CacheRule::Header(0));
        store(Class::Key, 0, CacheRule::Media);
        store(Class::Audio, 10, CacheRule::Media);
        store(Class::Inter, 20, CacheRule::Media);
        for time in (1_000..=400_000).step_by(1_000) {
            let stored = store(Class::Audio, time, CacheRule::Media);
            let oldest = time.saturating_sub(MAX_AUDIO_WITHOUT_FRAMES_MS);
            let audio = stored.iter().filter(|stored| ![0, 20].contains(*stored));
            assert!(time <= 11_000 || audio.copied().all(|it| it >= oldest), "{stored:?}");
            assert_eq!((stored[..2].to_vec(), stored.last()), (vec![0, 0], Some(&time)));
        }
        // The video continues without a keyframe.
        store(Class::Inter, 400_500, CacheRule::Media);
        let stored = store(Class::Audio, 401_000, CacheRule::Media);
        assert_eq!(stored, [0, 0, 20, 400_000, 400_500, 401_000]);
        store(Class::Audio, 412_000, CacheRule::Media);
        let stored = store(Class::Audio, 5, CacheRule::Media);
        assert_eq!(stored, [0, 0, 20, 400_500, 5], "the times went back");
        let group: usize = cache.group.iter().map(cost).sum();
        assert_eq!(cache.group_bytes, group);
    }

    #[test]
    fn configs_are_counted_by_bytes_and_versions_tell_them_apart() {
        let mut cache = Cache::default();
        let body = |byte, length| Bytes::from(vec![byte; length]);
        for slot in 0..2 {
            store(&mut cache, Class::Vital, 0, &body(1, 500_000), CacheRule::Header(slot));
        }
        assert_eq!(
            cache.mark(TagKind::Video, CacheRule::Header(2), &body(1, 100_000)),
            Err(TooLarge)
        );
        assert_eq!(cache.mark(TagKind::Script, CacheRule::Metadata, &body(1, 100_000)), Ok(None));
        // A replacement needs no additional space.
        store(&mut cache, Class::Vital, 0, &body(2, 500_000), CacheRule::Header(1));
        let kept: usize = cache.kept().map(|message| message.weight()).sum();
        assert!(kept <= MAX_HEADER_BYTES, "{kept}");
        let known = cache.mark(TagKind::Video, CacheRule::Header(1), &body(2, 500_000)).unwrap();
        assert_eq!(known, cache.headers[1].mark, "the same body, the same version");
        let other = cache.mark(TagKind::Video, CacheRule::Header(1), &body(3, 500_000)).unwrap();
        assert_ne!(known, other);
    }
}
