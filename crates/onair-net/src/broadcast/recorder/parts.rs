//! Decides when a recording continues in a new file, and how the recording continues in the old
//! file while the new one cannot be created. This module runs on the recorder's thread.

use std::time::{Duration, Instant};

use super::{Event, Figures, Split, State, Writer, enter};
use crate::broadcast::recorder::file::{Error, File};
use crate::media::VideoConfig;

/// Time after which the creation of the next file is retried.
const FILE_RETRY_DELAY: Duration = Duration::from_millis(1_500);

impl Writer {
    /// Returns true if the next file is due. `begins` is true at the beginning of a GOP.
    pub(super) fn is_split_due(&self, begins: bool) -> bool {
        if self.is_held() {
            return false;
        }
        let Split { every, bytes } = self.options.split;
        let size = self.file.written() + self.file.waiting() as u64;
        // The next GOP must fit too. A first GOP that does not fit fills the file: otherwise each file
        // would end at once.
        let group = if begins || self.group_began > 0 { self.largest_group } else { 0 };
        let next = size + group + self.file.index_weight() as u64;
        self.split_wanted
            || every.is_some_and(|every| self.timeline.end() >= every)
            || bytes.is_some_and(|bytes| next > bytes && self.timeline.end() > Duration::ZERO)
    }

    /// Returns true if the next file could not be created a moment ago.
    fn is_held(&self) -> bool {
        self.held.as_ref().is_some_and(|(since, _)| since.elapsed() < FILE_RETRY_DELAY)
    }

    /// Finalizes this file and continues in the next one, with the new frame size if it changes.
    /// Returns false if the next file cannot be created. The current file then stays unchanged.
    pub(super) fn part(&mut self, video: Option<&VideoConfig>) -> Result<bool, Error> {
        if self.is_held() {
            return Ok(false);
        }
        let part = self.figures.lock().part + 1;
        let mut name = self.asked.file_stem().unwrap_or_default().to_owned();
        name.push(format!("-part{part}.{}", self.format));
        let mut tracks = self.tracks.clone();
        if let Some(video) = video {
            tracks.video = Some(video.clone());
        }
        // The next file is created before the current file is finalized, because without the next
        // file the current one continues.
        let file = match File::create(&self.asked.with_file_name(name), self.format, &tracks) {
            Ok(file) => file,
            Err(error) => {
                self.hold(error);
                return Ok(false);
            }
        };
        if let Err(error) = self.file.finish(self.timeline.end()) {
            file.remove();
            return Err(error);
        }
        self.note();
        let finished = Figures { state: State::Finished, ..self.figures.lock().clone() };
        if let Some(entry) = self.entry.take() {
            entry.done();
        }
        self.entry = enter(&self.options, file.path());
        self.earlier_bytes += self.file.written();
        self.timeline = self.timeline.next_file(self.feed.config());
        (self.file, self.tracks, self.held) = (file, tracks, None);
        (self.group_began, self.chapters) = (0, 0);
        (self.split_wanted, self.keyframe_asked) = (false, false);
        let began = {
            let mut figures = self.figures.lock();
            *figures = Figures {
                path: self.file.path().to_owned(),
                duration: Duration::ZERO,
                bytes: 0,
                part,
                earlier: finished.earlier + finished.duration,
                chapters: 0,
                ..figures.clone()
            };
            figures.clone()
        };
        let _ = self.events.send(Event::Parted(finished));
        let _ = self.events.send(Event::Began(began));
        Ok(true)
    }

    /// Records that the next file cannot be created, and reports each reason once.
    fn hold(&mut self, error: Error) {
        if self.held.as_ref().is_none_or(|(_, before)| before.kind != error.kind) {
            tracing::warn!(%error, "splitting failed: the recording continues in the current file");
            let _ = self.events.send(Event::Held(error.clone()));
        }
        self.held = Some((Instant::now(), error));
        self.keyframe_asked = false;
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::base::queue::{self, Full, Sender};
    use crate::broadcast::hub::Hub;
    use crate::broadcast::hub::gop::tests::of_rendition;
    use crate::broadcast::recorder::{Options, Recorder};
    use crate::files::Trouble;
    use crate::media::{EncodedPacket, Rendition, RenditionId, Size, StreamConfig};

    const TEST_TIMEOUT: Duration = Duration::from_secs(30);

    struct Studio {
        packets: Sender<EncodedPacket>,
        _hub: Hub,
        recorder: Recorder,
        small: Arc<Rendition>,
    }

    /// Starts a video-only recording that cannot create its next file, because a file has the name
    /// of the folder.
    fn begin(folder: &Path, options: Options) -> Studio {
        let (packets, input) = queue::bounded("test", 64, Full::Block);
        let video = of_rendition(RenditionId::Main, 0).rendition.unwrap().video.clone();
        let config = StreamConfig { video: Some(video), audio: None };
        let hub = Hub::spawn(config, input).unwrap();
        let recorder = Recorder::start_with(&folder.join("a/x.flv"), &hub, options).unwrap();
        fs::rename(folder.join("a"), folder.join("b")).unwrap();
        fs::write(folder.join("a"), "").unwrap();
        let mut small = of_rendition(RenditionId::Main, 0).rendition.unwrap().as_ref().clone();
        small.video.size = Size::new(320, 90);
        small.video.codec_config = bytes::Bytes::from_static(&[1, 77, 0, 30, 0xff, 0xe0, 0]);
        Studio { packets, _hub: hub, recorder, small: Arc::new(small) }
    }

    impl Studio {
        /// Sends one second of 25 frames. Every other second begins with a keyframe.
        fn second(&self, second: i64, small: bool) {
            for dts in (second * 1_000..(second + 1) * 1_000).step_by(40) {
                let packet = of_rendition(RenditionId::Main, dts);
                let rendition = match small {
                    true => Some(Arc::clone(&self.small)),
                    false => packet.rendition.clone(),
                };
                self.packets.send(EncodedPacket { rendition, ..packet }).unwrap();
            }
        }

        fn next(&self) -> Event {
            self.recorder.events().recv_timeout(TEST_TIMEOUT).unwrap()
        }
    }

    fn is_held(event: &Event) -> bool {
        matches!(event, Event::Held(error) if error.kind == Trouble::NotAFolder)
    }

    fn restore(folder: &Path) {
        fs::remove_file(folder.join("a")).unwrap();
        fs::rename(folder.join("b"), folder.join("a")).unwrap();
    }

    /// Continues until the next file begins. Returns the previous file, and the number of seconds.
    fn to_the_next(studio: &Studio, from: i64, small: bool) -> (Figures, i64) {
        let begun = Instant::now();
        for second in from.. {
            assert!(begun.elapsed() < TEST_TIMEOUT, "the next file was not made");
            studio.second(second, small);
            std::thread::sleep(Duration::from_millis(100));
            if let Ok(event) = studio.recorder.events().try_recv() {
                let Event::Parted(figures) = event else { panic!("{event:?}") };
                return (figures, second + 1);
            }
        }
        unreachable!()
    }

    #[test]
    fn a_file_goes_on_while_the_next_cannot_be_made() {
        let folder = tempfile::tempdir().unwrap();
        let split = Split { every: Some(Duration::from_secs(3)), bytes: None };
        let studio = begin(folder.path(), Options { split, ..Options::default() });
        assert!(matches!(studio.next(), Event::Began(_)));
        (0..8).for_each(|second| studio.second(second, false));
        let held = studio.next();
        assert!(is_held(&held), "{held:?}");
        assert_eq!(studio.recorder.figures().part, 1);
        restore(folder.path());
        let (first, reached) = to_the_next(&studio, 8, false);
        assert!(first.duration >= Duration::from_secs(8), "{first:?}");
        let last = studio.recorder.finish(TEST_TIMEOUT);
        assert_eq!((&last.state, last.part), (&State::Finished, 2));
        assert_eq!(last.dropped_frames, 0);
        let all = first.duration + last.duration;
        assert_eq!(all, Duration::from_secs(reached.unsigned_abs()));
    }

    #[test]
    fn frames_of_another_size_wait_for_their_file_and_the_others_do_not() {
        let folder = tempfile::tempdir().unwrap();
        let studio = begin(folder.path(), Options::default());
        assert!(matches!(studio.next(), Event::Began(_)));
        (0..2).for_each(|second| studio.second(second, false));
        (2..4).for_each(|second| studio.second(second, true));
        let held = studio.next();
        assert!(is_held(&held), "{held:?}");
        // Frames of the same size continue after the existing ones.
        (4..6).for_each(|second| studio.second(second, false));
        restore(folder.path());
        let (first, reached) = to_the_next(&studio, 6, true);
        assert_eq!(first.duration, Duration::from_secs(4), "{first:?}");
        let last = studio.recorder.finish(TEST_TIMEOUT);
        assert_eq!((&last.state, last.part), (&State::Finished, 2));
        let all = (first.duration + last.duration).as_millis() / 40;
        let left_out = reached.unsigned_abs() * 25 - last.dropped_frames;
        assert_eq!(all, u128::from(left_out));
        assert!(last.dropped_frames >= 50, "{last:?}");
    }

    #[test]
    fn a_file_that_is_smaller_than_a_group_is_filled() {
        let folder = tempfile::tempdir().unwrap();
        let (packets, input) = queue::bounded("test", 64, Full::Block);
        let video = of_rendition(RenditionId::Main, 0).rendition.unwrap().video.clone();
        let hub = Hub::spawn(StreamConfig { video: Some(video), audio: None }, input).unwrap();
        let asked = Arc::new(AtomicUsize::new(0));
        let its_asked = Arc::clone(&asked);
        hub.on_keyframe_wanted(move || {
            its_asked.fetch_add(1, Ordering::SeqCst);
        });
        let split = Split { every: None, bytes: Some(300_000) };
        let options = Options { split, ..Options::default() };
        let path = folder.path().join("x.flv");
        let recorder = Recorder::start_with(&path, &hub, options).unwrap();
        // A GOP of 500 kB, and the first frames of the next one.
        for dts in (0..2_120).step_by(40) {
            let data = bytes::Bytes::from_static(&[0; 10_000]);
            let packet = of_rendition(RenditionId::Main, dts);
            packets.send(EncodedPacket { data, ..packet }).unwrap();
        }
        let last = recorder.finish(TEST_TIMEOUT);
        // The second file is not nearly full yet, so no keyframe is requested for it.
        assert_eq!((last.part, asked.load(Ordering::SeqCst)), (2, 1));
    }
}
