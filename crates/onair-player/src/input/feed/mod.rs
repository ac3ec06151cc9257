//! The feed thread's work on each event of any source: save it, demux it, place it on the timeline,
//! and pass it on. [`file`](crate::player::input::file) and [`live`](crate::player::input::live)
//! drive this module.

mod failures;
mod saving;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use crate::base::Timestamp;
use crate::media::stream_event::track_name;
use crate::media::{
    AudioConfig, EncodedPacket, Metadata, StreamEvent, Track, TrackKind, UnsupportedTrack,
    VideoConfig,
};
use crate::player::buffer::pace::PlayPace;
use crate::player::buffer::packets::BufferedPacket;
use crate::player::buffer::time_shift::KeptPacket;
use crate::player::demux::sequence_headers::SequenceHeaders;
use crate::player::demux::track_presence::TrackPresence;
use crate::player::demux::{Demux, Demuxed};
use crate::player::input::feed::failures::{lack_of_video, too_long, unsupported, video_of};
use crate::player::input::save::Save;
use crate::player::session::shared::Shared;
use crate::player::state::anomaly::Anomaly;
use crate::player::state::{Failure, FailureKind, Severity};
use crate::text::Problem;
use crate::text::problem::problem;
use crate::wire::chat::ChatLine;
use crate::wire::codec::four_cc::VideoFormat;
use crate::wire::container::flv::events::audio_codec;
use crate::wire::container::flv::metadata::is_metadata;
use crate::wire::container::flv::{ReadTag, TagContent, TagEvent, TagKind};
use crate::wire::container::unsupported as left_out;
use onair_media::decode::{self, NoDecoder, inventory};

/// After this many messages without playable data, the stream fails.
const MAX_UNPLAYABLE_MESSAGES: u64 = 120;

/// After this many frames without a config, the missing config is reported.
const MAX_FRAMES_WITHOUT_CONFIG: u64 = 25;

/// Metadata counts as missing this long after the first video or audio.
const METADATA_TIMEOUT: Duration = Duration::from_secs(2);

/// Maximum number of chat messages in a period.
const MAX_CHAT_MESSAGES: u32 = 20;
/// Length of the period in which chat messages are counted.
const CHAT_MESSAGE_PERIOD: Duration = Duration::from_secs(1);

/// See the module documentation.
pub(crate) struct InputFeed {
    pub(crate) shared: Arc<Shared>,
    demux: Demux,
    /// See [`ReadTag::suspect`].
    suspect: Option<VideoFormat>,
    track_presence: TrackPresence,
    /// The file for the received stream, if it is saved.
    pub(in crate::input) save: Option<Save>,
    sequence_headers: SequenceHeaders,
    /// True if video has arrived since the connection began.
    has_video: bool,
    live: bool,
    /// True if the source is on the network.
    remote: bool,
    /// Set while metadata is expected, with the DTS of the stream's first packet.
    metadata: Option<Option<Timestamp>>,
    /// Number of video and audio bodies.
    bodies: u64,
    playable: u64,
    damaged: u64,
    /// The size of a config that was too long.
    too_long: Option<usize>,
    /// The reason why data cannot be decoded, and the missing decoder.
    unsupported: Option<(Problem, Option<NoDecoder>)>,
    /// The skipped tracks that were reported.
    left_out: Vec<UnsupportedTrack>,
    /// True if the missing audio was reported.
    pub(in crate::input) audio_missing: bool,
    /// The time at which the end of the stream was last known, and the distance from the next
    /// packet to that end.
    pub(in crate::input) edge: Option<(Timestamp, Duration)>,
    /// True if the next packet sets the position in the recording, from its timestamp or from the
    /// seek.
    moved: bool,
    /// A packet time in microseconds, and the media time at which that packet plays.
    anchor: (i64, Timestamp),
    place: Option<Duration>,
    /// After a seek in a playlist, the position that is presented first.
    sought: Option<Duration>,
    /// True if the next position applies to earlier media too, for example after a seek.
    replaces_origins: bool,
    /// The wall-clock time of the next packet, if known.
    pub(in crate::input) made: Option<Option<i64>>,
    /// Start of the current period, and its number of chat messages.
    lines: (Timestamp, u32),
}

impl InputFeed {
    pub(crate) fn new(shared: Arc<Shared>, save: Option<Save>, live: bool) -> Self {
        Self {
            shared,
            demux: Demux::new(live),
            suspect: None,
            track_presence: TrackPresence::default(),
            save,
            sequence_headers: SequenceHeaders::default(),
            has_video: false,
            live,
            remote: live,
            metadata: None,
            bodies: 0,
            playable: 0,
            damaged: 0,
            too_long: None,
            unsupported: None,
            left_out: Vec::new(),
            audio_missing: false,
            edge: None,
            moved: true,
            anchor: (0, Timestamp::ZERO),
            place: None,
            sought: None,
            replaces_origins: true,
            made: None,
            lines: (Timestamp::ZERO, 0),
        }
    }

    /// Returns true if playable data has arrived.
    pub(crate) fn has_media(&self) -> bool {
        self.playable > 0
    }

    /// Returns the number of video and audio bodies, playable or not.
    pub(crate) fn bodies(&self) -> u64 {
        self.bodies
    }

    /// Sets the pace of playback: live or like a file.
    pub(crate) fn set_pace(&mut self, pace: PlayPace) {
        self.live = pace == PlayPace::Live;
        self.shared.packets.dvr_window.forget();
        self.demux.timeline.set_live(self.live);
        self.save.iter_mut().for_each(|save| save.set_live(self.live));
        self.shared.reception.lock().set_pace(pace);
    }

    /// Expects metadata at the beginning of an FLV or RTMP stream.
    pub(crate) fn expect_metadata(&mut self) {
        self.metadata = Some(None);
    }

    /// Sets the position of the next packet in the recording.
    pub(crate) fn set_place(&mut self, place: Duration) {
        (self.moved, self.place) = (true, Some(place));
    }

    /// Sets the position in the recording that is presented first, which can be after the position
    /// of the next packet.
    pub(crate) fn set_sought(&mut self, place: Duration) {
        self.sought = Some(place);
    }

    /// Restarts after a reconnect, or when the next data does not continue the previous one.
    pub(crate) fn restart(&mut self) {
        self.demux.restart();
        // Another connection may have other tracks.
        (self.has_video, self.sequence_headers) = (false, SequenceHeaders::default());
        if let Some(save) = &mut self.save {
            save.restart();
        }
        self.shared.reception.lock().jitter.forget();
        self.shared.packets.gap();
    }

    /// Handles the return of missing audio. The position of the audio then follows from the video,
    /// however long the gap was.
    pub(crate) fn resume_audio(&mut self) {
        self.demux.timeline.forget(Track::Audio);
        self.shared.packets.hand_on(KeptPacket::Audio(BufferedPacket::Gap));
    }

    /// Continues at another position of the recording; the queues were cleared.
    pub(crate) fn move_here(&mut self, now: Timestamp) {
        let at = self.shared.move_here();
        self.demux.timeline.move_to(at, now);
        self.shared.reception.lock().move_to(at);
        (self.moved, self.sought) = (true, None);
        self.replace_origins();
    }

    /// Lets the next position apply to earlier media too, because it is from another playlist.
    pub(crate) fn replace_origins(&mut self) {
        self.replaces_origins = true;
    }

    /// Begins a file whose first instant is at `raw` microseconds. `firm` means that its timestamps
    /// are trusted.
    pub(crate) fn begin(&mut self, raw: i64, firm: bool, now: Timestamp) {
        self.anchor(raw, Duration::ZERO, Timestamp::ZERO, firm, now);
    }

    /// Continues at another position of the file. The packet with `raw` microseconds, which is at
    /// `place`, is presented first, although the data begins earlier.
    pub(crate) fn move_to(&mut self, raw: i64, place: Duration, firm: bool, now: Timestamp) {
        let at = self.shared.move_exactly();
        self.shared.reception.lock().move_to(at);
        self.anchor(raw, place, at, firm, now);
    }

    fn anchor(&mut self, raw: i64, place: Duration, at: Timestamp, firm: bool, now: Timestamp) {
        self.demux.timeline.anchor(raw, at, firm, now);
        self.anchor = (raw, at);
        self.shared.set_origin(i64::try_from(place.as_millis()).unwrap_or(0), at);
        (self.moved, self.place) = (false, None);
        self.seam(raw);
    }

    /// Sets a boundary at `raw` microseconds: audio from before the boundary plays at most up to
    /// it, and audio from after the boundary plays from there on.
    pub(crate) fn seam(&mut self, raw: i64) {
        self.demux.timeline.turn();
        let seam = BufferedPacket::Seam(self.media_time(raw));
        self.shared.packets.audio.push_waiting(seam, &self.shared.lifetime.stop);
    }

    /// Hides the next frames that are before `raw` microseconds.
    pub(crate) fn hide_before(&self, raw: i64) {
        let seam = BufferedPacket::Seam(self.media_time(raw));
        self.shared.packets.video.push_waiting(seam, &self.shared.lifetime.stop);
    }

    fn media_time(&self, raw: i64) -> Timestamp {
        let (anchor, media) = self.anchor;
        media.offset(raw.saturating_sub(anchor))
    }

    /// Continues with another file; a seam follows. `firm` means that its timestamps are trusted,
    /// and `has_video` that it has video.
    pub(crate) fn take_file(&mut self, firm: bool, has_video: bool) {
        self.demux.take_file(firm);
        self.track_presence = TrackPresence::default();
        if !has_video {
            // No further packet would push the last frames out of the decoder.
            self.shared.packets.video.push_waiting(BufferedPacket::Gap, &self.shared.lifetime.stop);
        }
    }

    /// Handles an event of a source with known codecs.
    pub(crate) fn take_event(&mut self, event: StreamEvent) {
        let now = self.shared.clock.now();
        let mut raw = 0;
        match &event {
            StreamEvent::Config(_) => {}
            StreamEvent::Packet(packet) => {
                raw = packet.dts.as_micros();
                self.has_video |= packet.track == Track::Video;
                self.shared.report.figures.lock().received_bytes += packet.data.len() as u64;
            }
            StreamEvent::Metadata(Metadata::Script(body)) => {
                return self.script(body, now);
            }
            StreamEvent::Metadata(Metadata::Unsupported(track)) => return self.leave_out(track),
            StreamEvent::Discontinuity => return self.restart(),
            StreamEvent::Metadata(Metadata::Chapter(_)) | StreamEvent::End => return,
        }
        self.sequence_headers.note_event(&event);
        self.change_file();
        if let Some(save) = &mut self.save {
            save.add_event(&self.shared, &event, &self.sequence_headers, now);
        }
        self.bodies += 1;
        let found = self.demux.event(event, now);
        self.found(found, raw, now);
        self.give_up_fruitless();
    }

    /// Handles a chat message in the stream. Messages beyond a readable rate are dropped.
    fn line(&mut self, body: &[u8], now: Timestamp) {
        if now.since(self.lines.0) >= CHAT_MESSAGE_PERIOD {
            self.lines = (now, 0);
        }
        if self.lines.1 < MAX_CHAT_MESSAGES
            && let Some(line) = ChatLine::from_data(body)
        {
            self.lines.1 += 1;
            self.shared.report.tell_line(line);
        }
    }

    /// Handles script data: metadata or a chat message.
    fn script(&mut self, body: &Bytes, now: Timestamp) {
        if is_metadata(body) {
            self.sequence_headers.script = Some(body.clone());
        }
        self.change_file();
        if let Some(save) = &mut self.save {
            save.add_header(&self.shared, TagKind::Script, body);
        }
        self.shared.report.figures.lock().received_bytes += body.len() as u64;
        self.line(body, now);
    }

    /// Handles an FLV tag or RTMP message that arrived at `now`. Its events play, and its body is
    /// saved unchanged.
    pub(crate) fn take_tag(&mut self, read: ReadTag, now: Timestamp) {
        if read.tag.kind == TagKind::Script {
            return self.script(&read.tag.body, now);
        }
        self.sequence_headers.note_tag(&read);
        self.has_video |= read.tag.kind == TagKind::Video && read.content == TagContent::Frame;
        self.change_file();
        if let Some(save) = &mut self.save {
            save.add_tag(&self.shared, &read, now);
        }
        self.shared.report.figures.lock().received_bytes += read.tag.body.len() as u64;
        self.bodies += 1;
        self.suspect = read.suspect;
        for _ in 0..read.strays {
            self.damaged("");
        }
        let raw = read.dts.as_micros();
        for event in read.events.into_iter().flatten() {
            let found = match event {
                TagEvent::Event(event) => self.demux.event(event, now),
                TagEvent::UnsupportedVideo(format) => Demuxed::UnsupportedVideo(format),
                TagEvent::UnsupportedAudio(format) => Demuxed::UnsupportedAudio(format),
                TagEvent::Colors(_) | TagEvent::Channels(..) => Demuxed::Nothing,
                TagEvent::Damaged => Demuxed::Damaged,
                TagEvent::TooLong(bytes) => Demuxed::TooLong(bytes),
            };
            self.found(found, raw, now);
        }
        self.give_up_fruitless();
    }

    /// Fails if many messages arrived and none of them was playable.
    fn give_up_fruitless(&self) {
        if self.playable == 0 && self.bodies >= MAX_UNPLAYABLE_MESSAGES && self.save.is_none() {
            self.shared.fail(self.fruitless());
        }
    }

    /// Passes on the demuxed result of an event, and reports its problems.
    fn found(&mut self, mut found: Demuxed, raw: i64, now: Timestamp) {
        if let Some(timestamp_anomaly) = self.demux.timestamp_anomaly.take() {
            self.shared.report.report_anomaly(&Anomaly::Times(timestamp_anomaly));
        }
        if self.demux.headless() == MAX_FRAMES_WITHOUT_CONFIG {
            self.shared.report.report_anomaly(&Anomaly::NoHeaders);
        }
        self.note_place(&mut found, raw);
        match found {
            Demuxed::Video(unit) => self.see(unit, now),
            Demuxed::NewVideo(config, packet) => {
                self.see(BufferedPacket::Configure(config), now);
                self.see(BufferedPacket::Packet(packet), now);
            }
            Demuxed::Audio(unit) => self.hear(unit, now),
            Demuxed::NewAudio(config, packet) => {
                self.hear(BufferedPacket::Configure(config), now);
                self.hear(BufferedPacket::Packet(packet), now);
            }
            // Saving needs no decoder.
            Demuxed::UnsupportedVideo(format) if self.save.is_some() => {
                self.unsupported = Some((video_of(format), lack_of_video(format)));
            }
            Demuxed::UnsupportedVideo(format) => {
                // Audio without its video is not acceptable: end with a clear message.
                self.shared.fail(unsupported(video_of(format), lack_of_video(format)));
            }
            Demuxed::UnsupportedAudio(format) => {
                let lack = audio_codec(format, None)
                    .and_then(|codec| inventory::audio_decoder(codec).err());
                let codec = format.to_string();
                let what = track_name(TrackKind::Audio, &codec);
                let previous = self.unsupported.replace((what.clone(), lack));
                // A new connection would only cause the same report again.
                if previous.is_none_or(|(previous, _)| previous != what) {
                    let error = match lack {
                        Some(lack) => decode::Error::NoDecoder { codec, lack },
                        None => decode::Error::Unsupported(codec.into()),
                    };
                    self.shared.report.unsupported_audio((&error).into());
                }
            }
            Demuxed::Damaged => self.damaged(""),
            Demuxed::TooLong(bytes) => {
                self.too_long = Some(bytes);
                self.damaged(&too_long(bytes).to_string());
            }
            Demuxed::Nothing => {}
        }
    }

    /// Notes the position of the first packet after a move. After a seek in a playlist, this can
    /// shift the packet's times.
    fn note_place(&mut self, found: &mut Demuxed, raw: i64) {
        let packet = match found {
            Demuxed::Video(BufferedPacket::Packet(packet))
            | Demuxed::Audio(BufferedPacket::Packet(packet))
            | Demuxed::NewAudio(_, packet)
            | Demuxed::NewVideo(_, packet) => packet,
            _ => return,
        };
        if std::mem::replace(&mut self.moved, false) {
            let (place, sought) = (self.place.take(), self.sought.take());
            let lead = sought.zip(place).map(|(sought, place)| sought.saturating_sub(place));
            if let Some(lead) = lead.filter(|lead| !lead.is_zero()) {
                self.present_after(lead, packet);
            }
            let place = place.and_then(|place| i64::try_from(place.as_millis()).ok());
            let place = place.unwrap_or(raw.div_euclid(1_000));
            if std::mem::take(&mut self.replaces_origins) {
                self.shared.set_origin(place, packet.dts);
            } else {
                self.shared.timeline.add_origin(place, packet.dts);
            }
        }
    }

    /// Presents exactly what follows `packet`, the first one after a seek, by `lead`. The data
    /// before that is only decoded.
    fn present_after(&mut self, lead: Duration, packet: &mut EncodedPacket) {
        let at = self.shared.move_exactly();
        self.shared.reception.lock().move_to(at);
        let back = (packet.dts + lead).micros_since(at);
        self.demux.timeline.shift_back(back);
        (packet.dts, packet.pts) = (packet.dts.offset(-back), packet.pts.offset(-back));
        let seam = BufferedPacket::Seam(at);
        self.shared.packets.audio.push_waiting(seam, &self.shared.lifetime.stop);
    }

    /// Ends the stream, and reports the reason if nothing could be played.
    pub(crate) fn finish(mut self) {
        let saved = self.save.is_some();
        let wanted = self.shared.requests.filing.lock().close();
        if let Some(wanted) = wanted {
            self.save_into(wanted);
        }
        if let Some(save) = self.save.take() {
            save.finish(&self.shared);
        }
        if self.playable == 0 && !(saved && self.bodies > 0) && !self.shared.lifetime.stop.is_set()
        {
            self.shared.fail(self.fruitless());
        }
        self.shared.reception.lock().ended = true;
        // The presenter first passes on stored data that was not played yet. The lock is held, so
        // that the presenter does not begin a seek in queues that are about to close.
        let mut shift = self.shared.packets.shift.lock();
        if shift.end() || self.shared.lifetime.stop.is_set() {
            self.shared.packets.close();
        }
    }

    fn see(&mut self, unit: BufferedPacket<VideoConfig>, now: Timestamp) {
        if let BufferedPacket::Packet(packet) = &unit {
            self.date(packet.pts);
            self.arrived(Track::Video, packet.dts, now);
            if let Some(arrivals) = &self.shared.arrivals {
                arrivals.note(packet.pts, now);
            }
        }
        let dropped = if self.live {
            self.shared.packets.hand_on(KeptPacket::Video(unit))
        } else {
            self.shared.packets.video.push_waiting(unit, &self.shared.lifetime.stop);
            0
        };
        if dropped > 0 && !self.shared.requests.paused() {
            self.shared.report.report_anomaly(&Anomaly::TooSlow);
        }
        self.shared.report.add_dropped(dropped);
    }

    fn hear(&mut self, unit: BufferedPacket<AudioConfig>, now: Timestamp) {
        if let BufferedPacket::Packet(packet) = &unit {
            self.date(packet.pts);
            self.arrived(Track::Audio, packet.dts, now);
        }
        if self.live {
            self.shared.packets.hand_on(KeptPacket::Audio(unit));
        } else {
            self.shared.packets.audio.push_waiting(unit, &self.shared.lifetime.stop);
        }
    }

    /// Stores the wall-clock time for a packet that is presented at `pts`.
    fn date(&mut self, pts: Timestamp) {
        if let Some(made) = self.made.take() {
            self.shared.dated.lock().note(pts, made);
        }
    }

    fn arrived(&mut self, track: Track, dts: Timestamp, now: Timestamp) {
        self.playable += 1;
        match self.track_presence.arrived(track, dts, now, self.live) {
            // Frames arrive; another message explains why they are not shown.
            Some(Anomaly::NoVideo) if self.demux.headless() > 0 => {}
            // A skipped track has its own message.
            Some(Anomaly::NoVideo | Anomaly::NoAudio) if self.unsupported.is_some() => {}
            Some(Anomaly::NoAudio | Anomaly::LateAudio(_)) if self.audio_missing => {}
            Some(anomaly) => self.shared.report.report_anomaly(&anomaly),
            None => {}
        }
        if let Some(since) = &mut self.metadata
            && dts.since(*since.get_or_insert(dts)) >= METADATA_TIMEOUT
        {
            self.metadata = None;
            if self.sequence_headers.script.is_none() {
                self.shared.report.report_anomaly(&Anomaly::NoMetadata);
            }
        }
        let edge = self.edge.take();
        let mut reception = self.shared.reception.lock();
        reception.arrived(track, dts, now);
        if let Some((seen, distance)) = edge {
            reception.see_edge(seen, dts + distance);
        }
    }

    /// Reports once that a track is not played.
    fn leave_out(&mut self, track: &UnsupportedTrack) {
        if !left_out::note(&mut self.left_out, track) {
            return;
        }
        self.unsupported.get_or_insert((track.into(), None));
        let what = problem!("decode-unsupported", codec = Problem::from(track));
        match track.kind {
            TrackKind::Audio => self.shared.report.unsupported_audio(what),
            TrackKind::Video => {
                let words = what.to_string();
                let problem = problem!("player-no-video-codec", detail = what);
                self.shared.report.say(problem, Severity::Warning, words);
            }
        }
    }

    fn damaged(&mut self, detail: &str) {
        self.shared.report.figures.lock().damaged += 1;
        self.damaged += 1;
        if self.damaged == 1 {
            self.shared.report.say(problem!("player-damaged-stream"), Severity::Warning, detail);
        }
    }

    /// Returns the failure if nothing plays because the data cannot be decoded.
    pub(crate) fn missing(&self) -> Option<Failure> {
        if let Some((codec, lack)) = &self.unsupported {
            return Some(unsupported(codec.clone(), *lack));
        }
        let suspect = self.suspect.filter(|_| self.playable == 0)?;
        Some(unsupported(video_of(suspect), lack_of_video(suspect)))
    }

    fn fruitless(&self) -> Failure {
        if let Some(failure) = self.missing() {
            return failure;
        }
        let problem = match self.too_long {
            Some(bytes) => too_long(bytes),
            None if self.demux.headless() > 0 => problem!("play-no-parameter-sets"),
            None if self.remote => problem!("play-empty-stream"),
            None => problem!("play-empty-file"),
        };
        let kind = if self.remote { FailureKind::NoSuchStream } else { FailureKind::File };
        Failure::new(kind, problem)
    }
}
