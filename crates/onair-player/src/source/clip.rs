//! Plays a media file as a clip that waits at its beginning and plays once with audio: a stinger. A
//! thread decodes slightly ahead and then waits, so memory use does not depend on the file's
//! length. Video and audio follow the file's timestamps from the first request on.

use std::collections::VecDeque;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use crate::base::queue::{self, Full, Receiver, Sender};
use crate::base::{Stop, Timestamp, Worker, partial_debug, sandbox};
use crate::files::{MediaFile, samples};
use crate::media::feed::clip_frames::{ClipFrame, ClipStart};
use crate::media::samples::micros_to_frames;
use crate::media::{
    AudioFeed, ClipFeed, ClipFrames, EncodedPacket, Pulled, SampleBlock, Track, VideoFrame,
};
use crate::player::demux::file_samples;
use crate::player::source::alpha::AlphaTrack;
use crate::player::state::{Failure, FailureKind};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::container::{Index, TrackId};
use onair_media::decode::{self, AudioBackend, Converter, VideoBackend};

/// Frames decoded ahead, in addition to those in the decoder.
const READ_AHEAD_FRAMES: usize = 8;
/// Blocks of audio decoded ahead: about five seconds with AAC.
const AUDIO_BLOCKS_AHEAD: usize = 256;
/// The duration of a clip's last frame if the frame rate is unknown.
const LAST_FRAME_DURATION: Duration = Duration::from_millis(33);

/// An open clip.
pub struct Clip {
    pub video: Box<dyn ClipFeed>,
    /// The audio, if present.
    pub audio: Option<Box<dyn AudioFeed>>,
}

partial_debug!(Clip {});

/// Opens a file for a session with this audio rate and channel count.
///
/// # Errors
/// Fails if the file cannot be read, or has no frame that can be decoded.
pub fn open(path: &Path, rate: u32, channels: u16) -> Result<Clip, Failure> {
    let mut disk = MediaFile::open(path).map_err(|error| file_samples::unreadable(path, &error))?;
    let index =
        samples::indexed(&mut disk).map_err(|error| file_samples::unplayable(path, &error))?;
    let unplayable = |reason: Problem| {
        let path = path.display().to_string();
        Failure::new(FailureKind::Codec, problem!("play-no-clip", path = path, reason = reason))
    };
    let Some(config) = &index.tracks.video else {
        return Err(unplayable(problem!("play-clip-without-video")));
    };
    let video = decode::open_video(config).map_err(|error| unplayable((&error).into()))?;
    // If a second decoder cannot be opened, the clip plays without alpha.
    let alpha = (!index.alpha.is_empty()).then(|| decode::open_video(config).ok()).flatten();
    let alpha = alpha.map(|decoder| AlphaTrack::new(decoder, &index.alpha));
    // If the audio cannot be decoded, the clip plays without it.
    let audio = index.tracks.audio.first().and_then(|track| {
        decode::open_audio(&track.config)
            .inspect_err(|error| tracing::warn!(%error, "playing a clip without audio"))
            .ok()
    });
    let (clip_frames, ready) = queue::bounded("clip-frames", READ_AHEAD_FRAMES, Full::Block);
    let (blocks, audio_in) = queue::bounded("clip-audio", AUDIO_BLOCKS_AHEAD, Full::Block);
    let has_audio = audio.is_some();
    let mut reader = Reader {
        disk,
        index,
        video: Some((video, clip_frames)),
        alpha,
        audio: audio.map(|audio| (audio, blocks)),
        waiting: None,
        first: None,
        converter: None,
        to: (rate, channels),
    };
    let worker = Worker::spawn("clip", move |stop| {
        sandbox::video_decoder();
        reader.run(stop);
    });
    let worker = worker.map_err(|error| crate::player::handle::no_threads(&error))?;
    let begun = ClipStart::default();
    let worker = Arc::new(worker);
    let audio = has_audio.then(|| {
        Box::new(ClipAudio {
            ready: audio_in,
            waiting: None,
            begun: begun.clone(),
            rate,
            channels: usize::from(channels.max(1)),
            kept: VecDeque::new(),
            next: 0,
            _worker: Arc::clone(&worker),
        }) as Box<dyn AudioFeed>
    });
    Ok(Clip { video: Box::new(ClipFrames::new(ready, begun, worker)), audio })
}

/// The thread that decodes ahead.
struct Reader {
    disk: MediaFile,
    index: Index,
    /// The decoder and the queue of frames, dropped once the video is no longer needed.
    video: Option<(Box<dyn VideoBackend>, Sender<ClipFrame>)>,
    audio: Option<(Box<dyn AudioBackend>, Sender<Block>)>,
    /// The alpha in a separate stream.
    alpha: Option<AlphaTrack>,
    /// The last frame, which is passed on once its duration is known.
    waiting: Option<VideoFrame>,
    /// Time of the first frame, at which the clip begins.
    first: Option<Timestamp>,
    converter: Option<(Converter, (u32, u16))>,
    to: (u32, u16),
}

/// A block of audio in the session's format. The number is the sample frame of the clip at which
/// the block begins.
type Block = (i64, Vec<f32>);

impl Reader {
    fn run(&mut self, stop: &Stop) {
        let places = std::mem::take(&mut self.index.samples);
        self.first = places
            .iter()
            .filter(|place| place.track == TrackId::Video && self.index.shows(place.pts))
            .map(|place| place.pts)
            .min();
        for place in places {
            if stop.is_set() || (self.video.is_none() && self.audio.is_none()) {
                return;
            }
            let packet = match samples::sample(&mut self.disk, &self.index, &place) {
                Ok(Some(packet)) => packet,
                Ok(None) => continue,
                Err(error) => {
                    tracing::warn!(%error, "a clip ends early");
                    break;
                }
            };
            match packet.track {
                Track::Video | Track::Rendition(_) => self.show(&packet),
                Track::Audio | Track::Extra(_) => self.hear(&packet),
            }
        }
        if let Some(alpha) = &mut self.alpha {
            alpha.flush();
        }
        let rest = self.video.as_mut().map(|(decoder, _)| decoder.flush());
        self.hand_on(rest.unwrap_or_default());
        if let Some(last) = self.waiting.take() {
            self.send(last, LAST_FRAME_DURATION);
        }
    }

    fn show(&mut self, packet: &EncodedPacket) {
        let Some((decoder, _)) = &mut self.video else { return };
        if let Some(alpha) = &mut self.alpha {
            alpha.take(&mut self.disk, &self.index, packet.pts);
        }
        match decoder.decode(packet) {
            Ok(frames) => self.hand_on(frames),
            // The decoder skips frames that do not continue the previous ones.
            Err(error) => tracing::debug!(%error, "decoding video of a clip failed"),
        }
    }

    fn hand_on(&mut self, frames: Vec<VideoFrame>) {
        let first = self.first.unwrap_or(Timestamp::ZERO);
        for frame in frames {
            if !self.index.shows(frame.pts) {
                continue;
            }
            let frame = match &mut self.alpha {
                Some(alpha) => alpha.over(frame),
                None => frame,
            };
            let frame = VideoFrame { pts: Timestamp::ZERO + frame.pts.since(first), ..frame };
            let next = frame.pts;
            if let Some(before) = self.waiting.replace(frame) {
                let shown = next.since(before.pts);
                self.send(before, shown);
            }
        }
    }

    fn send(&mut self, frame: VideoFrame, shown: Duration) {
        if let Some((_, clip_frames)) = &self.video
            && clip_frames.send(ClipFrame { frame, shown }).is_err()
        {
            self.video = None;
        }
    }

    fn hear(&mut self, packet: &EncodedPacket) {
        let Some((decoder, blocks)) = &mut self.audio else { return };
        let audio = match decoder.decode(packet) {
            Ok(Some(audio)) => audio,
            Ok(None) => return,
            Err(error) => return tracing::debug!(%error, "decoding audio of a clip failed"),
        };
        let SampleBlock { pts, rate, channels, data } = audio;
        if self.converter.as_ref().is_none_or(|(_, of)| *of != (rate, channels)) {
            match Converter::new((rate, channels), self.to) {
                Ok(converter) => self.converter = Some((converter, (rate, channels))),
                Err(error) => return tracing::debug!(error, "decoding audio of a clip failed"),
            }
        }
        let Some((converter, _)) = &mut self.converter else { return };
        // The first output samples belong to an earlier block.
        let held = i64::try_from(converter.held().as_micros()).unwrap_or(0);
        let made = converter.convert(&data).to_vec();
        let begins = pts.micros_since(self.first.unwrap_or(Timestamp::ZERO)) - held;
        let at = micros_to_frames(begins, self.to.0);
        let frames = (made.len() / usize::from(self.to.1.max(1))) as i64;
        // Audio before the first frame is never heard. It would fill the queue, so that the thread
        // would not get to that frame.
        if at.saturating_add(frames) <= 0 {
            return;
        }
        if blocks.send((at, made)).is_err() {
            self.audio = None;
        }
    }
}

/// The mixer's side of the clip.
struct ClipAudio {
    ready: Receiver<Block>,
    /// The received block after a gap that is not filled yet.
    waiting: Option<Block>,
    begun: ClipStart,
    rate: u32,
    channels: usize,
    /// The received audio, from sample frame `next` of the clip.
    kept: VecDeque<f32>,
    next: i64,
    _worker: Arc<Worker>,
}

/// Tolerance of timestamps against counted samples, in sample frames.
const TIMESTAMP_TOLERANCE_FRAMES: i64 = 512;

impl ClipAudio {
    /// Receives the next block. Returns false if no block is waiting.
    fn receive(&mut self) -> bool {
        let next = self.waiting.take().or_else(|| self.ready.try_recv().ok());
        let Some((at, block)) = next else { return false };
        let end = self.next + (self.kept.len() / self.channels) as i64;
        let gap = at.saturating_sub(end);
        if self.kept.is_empty() {
            self.next = at;
        } else if gap >= TIMESTAMP_TOLERANCE_FRAMES {
            // A gap is filled with silence. At most a second of it is stored.
            let most = self.rate as usize;
            let missing = usize::try_from(gap).unwrap_or(most);
            self.kept.extend(std::iter::repeat_n(0.0, missing.min(most) * self.channels));
            if missing > most {
                self.waiting = Some((at, block));
                return true;
            }
        }
        self.kept.extend(block);
        true
    }

    /// Drops all audio before this sample frame.
    fn skip_to(&mut self, frame: i64) {
        let behind = usize::try_from(frame - self.next).unwrap_or(0);
        let gone = (behind * self.channels).min(self.kept.len());
        self.kept.drain(..gone);
        self.next += (gone / self.channels) as i64;
    }
}

impl AudioFeed for ClipAudio {
    fn pull(&mut self, at: Timestamp, out: &mut [f32]) -> Pulled {
        out.fill(0.0);
        let Some(begun) = self.begun.get() else { return Pulled::Silence };
        let first = micros_to_frames(at.micros_since(begun), self.rate);
        let frames = (out.len() / self.channels) as i64;
        loop {
            self.skip_to(first);
            let there = self.next + (self.kept.len() / self.channels) as i64;
            if there >= first + frames || !self.receive() {
                break;
            }
        }
        let silent = usize::try_from(self.next - first).unwrap_or(0) * self.channels;
        let Some(place) = out.get_mut(silent..) else { return Pulled::Silence };
        let ready = place.len().min(self.kept.len());
        for (out, sample) in place.iter_mut().zip(self.kept.drain(..ready)) {
            *out = sample;
        }
        self.next += (ready / self.channels) as i64;
        if silent == 0 && ready == place.len() { Pulled::Audio } else { Pulled::Silence }
    }

    fn delay(&self) -> Duration {
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn audio(blocks: &[(i64, Vec<f32>)]) -> (ClipAudio, ClipStart) {
        let (tell, ready) = queue::bounded("test", 16, Full::Block);
        for block in blocks {
            tell.send(block.clone()).unwrap();
        }
        let begun = ClipStart::default();
        let worker = Arc::new(Worker::spawn("test", |_| {}).unwrap());
        let audio = ClipAudio {
            ready,
            waiting: None,
            begun: begun.clone(),
            rate: 1_000,
            channels: 1,
            kept: VecDeque::new(),
            next: 0,
            _worker: worker,
        };
        (audio, begun)
    }

    #[test]
    fn audio_waits_for_the_first_frame_and_goes_by_its_own_time() {
        let ramp = |from: i64| (from..from + 600).map(|it| it as f32).collect::<Vec<_>>();
        // One block, and another one after a gap of 600 sample frames.
        let (mut audio, begun) = audio(&[(0, ramp(0)), (1_200, ramp(1_200))]);
        let mut out = [1.0; 10];
        let at = Timestamp::from_millis;
        assert_eq!(audio.pull(at(500), &mut out), Pulled::Silence);
        assert_eq!(out, [0.0; 10]);
        let (clip_frames, ready) = queue::bounded("test", 1, Full::Block);
        drop(clip_frames);
        // The first frame is requested within a block.
        ClipFrames::new(ready, begun, ()).moment(at(515));
        assert_eq!(audio.pull(at(510), &mut out), Pulled::Silence);
        assert_eq!(out, [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(audio.pull(at(520), &mut out), Pulled::Audio);
        assert_eq!((out[0], out[9]), (5.0, 14.0));
        // A mixer that slept continues at the current position.
        assert_eq!(audio.pull(at(715), &mut out), Pulled::Audio);
        assert_eq!((out[0], out[9]), (200.0, 209.0));
        assert_eq!(audio.pull(at(515 + 1_000), &mut out), Pulled::Silence);
        assert_eq!(out, [0.0; 10], "the hole");
        assert_eq!(audio.pull(at(515 + 1_200), &mut out), Pulled::Audio);
        assert_eq!(out[0], 1_200.0);
        assert_eq!(audio.pull(at(515 + 1_795), &mut out), Pulled::Silence);
        assert_eq!((out[4], out[5]), (1_799.0, 0.0), "the end");
    }

    #[test]
    fn audio_after_a_long_gap_is_not_played_early() {
        let ramp = |from: i64| (from..from + 600).map(|it| it as f32).collect::<Vec<_>>();
        let (mut audio, begun) = audio(&[(0, ramp(0)), (2_000, ramp(2_000))]);
        let (clip_frames, ready) = queue::bounded("test", 1, Full::Block);
        drop(clip_frames);
        let at = Timestamp::from_millis;
        ClipFrames::new(ready, begun, ()).moment(at(500));
        let mut out = [1.0; 10];
        // The gap begins within this block.
        audio.pull(at(500 + 595), &mut out);
        assert_eq!(out, [595.0, 596.0, 597.0, 598.0, 599.0, 0.0, 0.0, 0.0, 0.0, 0.0]);
        audio.pull(at(500 + 1_995), &mut out);
        assert_eq!((out[4], out[5], out[9]), (0.0, 2_000.0, 2_004.0));
    }

    /// A decoder whose packets are blocks of 100 ms.
    struct EveryPacket;

    impl AudioBackend for EveryPacket {
        fn decode(&mut self, packet: &EncodedPacket) -> Result<Option<SampleBlock>, decode::Error> {
            let data = vec![0.5; 100].into();
            Ok(Some(SampleBlock { pts: packet.pts, rate: 1_000, channels: 1, data }))
        }

        fn reset(&mut self) {}

        fn name(&self) -> &str {
            "test"
        }
    }

    #[test]
    fn audio_before_the_first_frame_does_not_wait_for_it() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("clip.mkv");
        std::fs::write(&path, b"").unwrap();
        let (blocks, ready) = queue::bounded("test", 16, Full::Block);
        let decoder: Box<dyn AudioBackend> = Box::new(EveryPacket);
        let at = Timestamp::from_millis;
        let mut reader = Reader {
            disk: MediaFile::open(&path).unwrap(),
            index: Index::default(),
            video: None,
            audio: Some((decoder, blocks)),
            alpha: None,
            waiting: None,
            first: Some(at(10_000)),
            converter: None,
            to: (1_000, 1),
        };
        for millis in [0, 5_000, 9_900, 9_950, 10_050] {
            let times = (at(millis), at(millis));
            let packet = EncodedPacket::received(Track::Audio, times, true, bytes::Bytes::new());
            reader.hear(&packet);
        }
        let waiting: Vec<i64> =
            std::iter::from_fn(|| ready.try_recv().ok()).map(|(at, _)| at).collect();
        assert_eq!(waiting, [-50, 50]);
    }

    #[test]
    fn what_is_no_clip_says_why() {
        for path in
            ["/nonexistent/clip.mp4", "/", concat!(env!("CARGO_MANIFEST_DIR"), "/../../README.md")]
        {
            let failure = open(Path::new(path), 48_000, 2).err().unwrap();
            assert!(failure.to_string().contains(path), "{failure:?}");
        }
    }
}
