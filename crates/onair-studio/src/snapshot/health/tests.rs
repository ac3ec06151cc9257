//! Tests the health sentence with a table of states, long because each state is one row.

use std::sync::Arc;
use std::time::Duration;

use crate::audio::AudioChoice;
use crate::base::Latest;
use crate::broadcast::publisher::Flow;
use crate::capture::VideoChoice;
use crate::compose::filter::{Filter, Slot};
use crate::compose::scene::ItemId;
use crate::media::RenditionId;
use crate::media::source_status::SourceAlarm;
use crate::mix;
use crate::studio::event::stats::{DelayFigures, DelayState};
use crate::studio::live::monitor::view::{MonitorView, ViewerFrame};
use crate::studio::live::view::{LiveFigures, LiveState, PassthroughView};
use crate::studio::mixer::{AudioStrip, TalkMode};
use crate::studio::notices::health::{Activity, Health};
use crate::studio::notices::message::StudioMessage;
use crate::studio::notices::{Level, Next, Notice, Remedy};
use crate::studio::scenes::edits::Edit;
use crate::studio::scenes::{Collection, MAIN_SOURCE};
use crate::studio::snapshot::health::finding::is_broadcasting;
use crate::studio::snapshot::health::readiness;
use crate::studio::snapshot::{
    AudioSource, RecordingFigures, SceneSource, ServerFigures, Snapshot, SourceState, StripView,
    TargetView, VideoSource,
};
use crate::studio::targets::{Target, TargetState, address};
use crate::text::problem::problem;
use crate::text::{Language, Problem};

/// Creates a state before a broadcast: the built-in server is enabled, and a camera and a
/// microphone deliver.
fn idle() -> Snapshot {
    Snapshot {
        video: Some(VideoSource {
            choice: VideoChoice::Test,
            state: SourceState::Open,
            name: "Test pattern".into(),
            format: None,
        }),
        audio: Some(AudioSource {
            choice: AudioChoice::Mic(None),
            chosen: true,
            state: SourceState::Open,
            name: "Yeti".into(),
            gain_db: 0.0,
            muted: false,
            peak_dbfs: -18.0,
            channels_dbfs: None,
            held_dbfs: -18.0,
            rms_dbfs: -24.0,
            clipped: false,
            drift_ppm: None,
        }),
        targets: vec![TargetView::idle(Target::built_in())],
        server: ServerFigures { viewers: 2, ..ServerFigures::default() },
        ..Snapshot::default()
    }
}

fn twitch() -> Target {
    let target = Target::custom(1, "rtmp://live.twitch.tv/app", "key".into());
    Target { service: "twitch".into(), ..target }
}

/// Creates a target whose key is still in the keyring.
fn with_stored_key() -> Target {
    let target = Target::custom(1, "rtmp://live.twitch.tv/app", "".into());
    Target { key_apart: true, remember_key: true, keep_as: "one".into(), ..target }
}

/// Creates a state on air, at the built-in server and at Twitch.
fn on_air() -> Snapshot {
    let mut snapshot = idle();
    snapshot.live = LiveState::OnAir;
    let fps = snapshot.quality.frame_rate.as_f64();
    let on_air_for = Duration::from_secs(754);
    snapshot.figures = LiveFigures { fps, on_air_for, ..LiveFigures::default() };
    snapshot.targets.push(TargetView::idle(twitch()));
    snapshot.targets.iter_mut().for_each(|it| it.state = Some(TargetState::Live));
    snapshot
}

/// Creates a state in which the program is recorded, but not sent.
fn recording() -> Snapshot {
    let mut snapshot = idle();
    snapshot.figures = LiveFigures { on_air_for: Duration::ZERO, ..on_air().figures };
    snapshot.recording = Some(RecordingFigures {
        path: "a.mp4".into(),
        duration: Duration::from_secs(754),
        bytes: 1,
        paused: false,
        chapters: 0,
    });
    snapshot
}

fn lost(snapshot: &mut Snapshot, trouble: &Problem, refused: bool) {
    let entry = &mut snapshot.targets[1];
    entry.state = Some(TargetState::Reconnecting);
    entry.cause = Some(trouble.clone());
    entry.refused = refused;
    (entry.retry_in, entry.tries) = (Some(Duration::from_millis(2_400)), 3);
}

/// Makes the other target one whose address somebody typed.
fn typed(snapshot: &mut Snapshot) {
    let target = Target::custom(1, "rtmp://media.school.example/live", "key".into());
    snapshot.targets[1].target = Target { name: "School".into(), ..target };
}

/// Returns the problem of a server that refuses the user name and the password.
fn wrong_login() -> Problem {
    problem!("net-closed").with_cure(problem!("net-cure-login"))
}

/// Creates a state in which Twitch is the only target, and is not connected.
fn off_air(refused: bool, was_live: bool) -> Snapshot {
    let mut snapshot = on_air();
    let cause = match refused {
        true => problem!("net-closed"),
        false => problem!("net-connection-refused"),
    };
    lost(&mut snapshot, &cause, refused);
    snapshot.targets[0].target.enabled = false;
    snapshot.targets[0].state = None;
    if !was_live {
        snapshot.figures.on_air_for = Duration::ZERO;
        snapshot.targets[1].state = Some(TargetState::Connecting);
    }
    snapshot.live = LiveState::Reconnecting { retry_in: Duration::from_secs(2), cause };
    snapshot
}

fn notice(message: &StudioMessage) -> Notice {
    message.notice(7, "")
}

fn with(mut snapshot: Snapshot, change: impl FnOnce(&mut Snapshot)) -> Snapshot {
    change(&mut snapshot);
    snapshot
}

fn monitor(state: &'static str, latency: Option<u64>) -> MonitorView {
    MonitorView {
        host: "Twitch".to_owned(),
        state,
        cause: Problem::default(),
        latency: latency.map(Duration::from_millis),
        latency_by: None,
        av_offset_ms: None,
        size: None,
        fps: None,
        bitrate: 0,
        frame: ViewerFrame(Latest::default()),
    }
}

fn disk_full() -> Notice {
    let path = "/home/ada/Videos/a.mp4".into();
    notice(&StudioMessage::RecordingFailed { path, reason: "the disk is full".into() })
}

fn no_screenshot() -> Notice {
    let (path, reason) = ("a.png".into(), problem!("file-full"));
    notice(&StudioMessage::SnapshotFailed { path, reason })
}

fn refused(next: Next) -> Notice {
    notice(&StudioMessage::Target {
        key: "target-refused",
        id: 1,
        pin: None,
        host: "Twitch".into(),
        cause: problem!("net-closed"),
        next,
    })
}

/// Empties the scene, so that no scene shows the main source.
fn empty_scene(snapshot: &mut Snapshot) {
    let mut collection = Collection::default();
    collection.scenes[0].items.retain(|item| item.id != ItemId(1));
    snapshot.scenes.collection = Arc::new(collection);
}

/// Makes the audio silence, which the user chose or not.
fn silence(snapshot: &mut Snapshot, chosen: bool) {
    let audio = snapshot.audio.as_mut().unwrap();
    (audio.choice, audio.chosen, audio.held_dbfs) = (AudioChoice::Silence, chosen, -60.0);
}

/// Gives the microphone a push-to-talk key, which is held or not, and silences the program.
fn talks(snapshot: &mut Snapshot, held: bool, muted: bool) {
    let main = snapshot.audio.as_mut().unwrap();
    (main.held_dbfs, main.muted) = (-60.0, muted);
    let mut audio = AudioStrip::new(mix::StripId::MAIN, main.choice.clone());
    audio.talk = TalkMode::PushToTalk;
    audio.strip.muted = muted;
    let strip = StripView::open(audio, "Yeti");
    snapshot.strips = vec![StripView { device: "Yeti".into(), held, ..strip }];
}

/// Adds a silent strip to a microphone that waits for its push-to-talk key.
fn talks_beside(snapshot: &mut Snapshot, choice: &str, talk: TalkMode, muted: bool) {
    talks(snapshot, false, false);
    let mut strip = snapshot.strips[0].clone();
    strip.audio = AudioStrip::new(mix::StripId(1), choice.parse().unwrap());
    (strip.audio.talk, strip.audio.strip.muted) = (talk, muted);
    snapshot.strips.push(strip);
}

/// Keeps an audible microphone out of the program, and silences the program.
fn not_in_program(snapshot: &mut Snapshot, monitoring: mix::MonitoringMode) {
    talks(snapshot, true, false);
    snapshot.audio.as_mut().unwrap().held_dbfs = -18.0;
    let strip = &mut snapshot.strips[0];
    (strip.audio.strip.monitoring, strip.meter.held_dbfs) = (monitoring, -18.0);
    snapshot.loudness.held_dbfs = -60.0;
}

/// Removes the video from the program, as for a broadcast or recording with audio only.
fn audio_only(snapshot: &mut Snapshot) {
    snapshot.video.as_mut().unwrap().choice = VideoChoice::None;
    (snapshot.audio_only, snapshot.figures.fps) = (true, 0.0);
}

/// Unplugs the camera that is the only source.
fn unplugged(snapshot: &mut Snapshot) {
    let video = snapshot.video.as_mut().unwrap();
    (video.name, video.state) = ("Cam".into(), SourceState::Lost);
    snapshot.notices.push(notice(&StudioMessage::CameraLost { device: "Cam".into() }));
}

/// Begins a recording, which is paused or not.
fn records(snapshot: &mut Snapshot, paused: bool) {
    let (path, duration) = ("a.mp4".into(), Duration::from_secs(1));
    snapshot.recording = Some(RecordingFigures { path, duration, bytes: 1, paused, chapters: 0 });
}

/// Sends a file instead of the program.
fn sends(snapshot: &mut Snapshot, opening: bool) {
    let path = "/home/ada/Videos/tour.mp4".into();
    snapshot.passthrough = Some(PassthroughView { path, opening, ..PassthroughView::default() });
}

/// A row of the table: its name, the state, the sentence, the details, the level, and the remedy.
type Row = (&'static str, Snapshot, &'static str, &'static str, Option<Level>, Option<Remedy>);

fn rows() -> Vec<Row> {
    let (bad, worse, info) = (Some(Level::Warning), Some(Level::Error), Some(Level::Info));
    vec![
        ("idle and ready", idle(), "Ready to go live.", "Built-in server", None, None),
        ("on air, two watch", on_air(), "All good.", "2 watching", None, None),
        (
            "a recording ended on a full disk",
            with(on_air(), |it| it.notices.push(disk_full())),
            "On air, but the recording has ended.",
            "The disk is full",
            worse,
            Some(Remedy::ChooseFolder),
        ),
        (
            "a recording that never began",
            with(on_air(), |it| {
                let path = "/home/ada/Videos/a.mp4".into();
                let reason = "the disk is full".into();
                it.notices.push(notice(&StudioMessage::RecordingNotStarted { path, reason }));
            }),
            "On air, but nothing is being recorded.",
            "The disk is full",
            worse,
            Some(Remedy::ChooseFolder),
        ),
        (
            "the same after the broadcast",
            with(idle(), |it| it.notices.push(disk_full())),
            "The recording /home/ada/Videos/a.mp4 ended early: the disk is full.",
            "If the file still exists, you can play the recorded part.",
            worse,
            Some(Remedy::ChooseFolder),
        ),
        (
            "17 of 30 frames",
            with(on_air(), |it| it.figures.fps = 17.0),
            "This computer is too slow: only 17 of 30 fps.",
            "Close other programs, or hide sources.",
            bad,
            None,
        ),
        (
            "17 of 30 frames, because the encoder is slow",
            with(on_air(), |it| {
                (it.figures.fps, it.draw_time) = (17.0, Some(Duration::from_millis(4)));
                it.figures.encode_time = Some(Duration::from_millis(58));
            }),
            "This computer is too slow: only 17 of 30 fps.",
            "Encoding a frame takes 58\u{a0}ms · Close other programs",
            bad,
            None,
        ),
        (
            "17 of 30 frames, because there are many sources",
            with(on_air(), |it| {
                (it.figures.fps, it.draw_time) = (17.0, Some(Duration::from_millis(58)));
            }),
            "This computer is too slow: only 17 of 30 fps.",
            "Drawing a frame takes 58\u{a0}ms · Hide sources",
            bad,
            None,
        ),
        (
            "17 of 30 frames, because a source has a filter",
            with(on_air(), |it| {
                (it.figures.fps, it.draw_time) = (17.0, Some(Duration::from_millis(58)));
                let mut collection = Collection::default();
                let filter = Filter::of_kind("chroma-key").unwrap();
                collection.main_filters = vec![Slot { enabled: true, filter }];
                it.scenes.collection = Arc::new(collection);
            }),
            "This computer is too slow: only 17 of 30 fps.",
            "Drawing a frame takes 58\u{a0}ms · Turn off video filters",
            bad,
            Some(Remedy::EditFilters(MAIN_SOURCE)),
        ),
        (
            "half as many frames are all that a slow connection is to carry",
            with(on_air(), |it| (it.figures.fps, it.figures.wanted_fps) = (15.0, 15.0)),
            "All good.",
            "2 watching",
            None,
            None,
        ),
        (
            "a connection carries all frames again, which are not counted yet",
            with(on_air(), |it| {
                (it.figures.fps, it.figures.wanted_fps) = (0.0, 30.0);
                (it.figures.fps_pending, it.figures.encoded) = (true, 900);
            }),
            "All good.",
            "2 watching",
            None,
            None,
        ),
        (
            "the encoder has not finished any frame",
            with(on_air(), |it| {
                (it.figures.fps, it.figures.wanted_fps) = (0.0, 30.0);
                (it.figures.fps_pending, it.figures.encoded) = (true, 0);
            }),
            "This computer is too slow: only 0 of 30 fps.",
            "Close other programs, or hide sources.",
            bad,
            None,
        ),
        (
            "an empty scene before going live",
            with(idle(), empty_scene),
            "The scene Main has no visible source.",
            "Add a source, or show a hidden source.",
            bad,
            Some(Remedy::UseTestSource),
        ),
        (
            "an empty scene on air",
            with(on_air(), empty_scene),
            "The scene Main has no visible source.",
            "Add a source, or show a hidden source.",
            bad,
            None,
        ),
        (
            "no picture was chosen",
            with(idle(), |it| it.video.as_mut().unwrap().choice = VideoChoice::None),
            "No video yet.",
            "Add a source, or start with the test pattern.",
            bad,
            Some(Remedy::UseTestSource),
        ),
        (
            "the microphone is gone before going live",
            with(idle(), |it| it.audio.as_mut().unwrap().state = SourceState::Lost),
            "Yeti is not sending any audio.",
            "Check this source, or choose another audio source.",
            bad,
            Some(Remedy::OpenMixer),
        ),
        (
            "the microphone is gone on air, its notice is dismissed, and music plays",
            with(on_air(), |it| {
                let audio = it.audio.as_mut().unwrap();
                (audio.state, audio.held_dbfs) = (SourceState::Lost, -60.0);
                it.loudness.held_dbfs = -18.0;
            }),
            "Yeti is not sending any audio.",
            "Until the source is back, viewers hear the fallback or silence",
            bad,
            Some(Remedy::OpenMixer),
        ),
        (
            "audio only, on purpose",
            with(on_air(), audio_only),
            "This broadcast has audio only.",
            "",
            info,
            None,
        ),
        (
            "audio only, on purpose, and the broadcast ends",
            with(on_air(), |it| {
                audio_only(it);
                it.live = LiveState::Stopping;
            }),
            "Ending the broadcast.",
            "",
            None,
            None,
        ),
        (
            "no video before a recording or a broadcast",
            with(idle(), audio_only),
            "No video yet.",
            "Add a source, or start with the test pattern.",
            bad,
            Some(Remedy::UseTestSource),
        ),
        (
            "no target is on",
            with(idle(), |it| it.targets[0].target.enabled = false),
            "No target is turned on.",
            "Turn on a target in the Broadcast panel.",
            bad,
            None,
        ),
        (
            "a target without a server",
            with(idle(), |it| {
                it.targets = vec![TargetView::idle(Target::custom(1, "", "".into()))];
            }),
            "The new target has no server address.",
            "Enter the address that the service gives you.",
            bad,
            Some(Remedy::EditTarget(1)),
        ),
        (
            "a target without a key",
            with(idle(), |it| {
                let target = Target::custom(1, "rtmp://live.twitch.tv/app", "".into());
                let target = Target { key_apart: true, ..target };
                it.targets = vec![TargetView::idle(target)];
            }),
            "live.twitch.tv has no stream key.",
            "Enter the key that the service or the server's operator gives you.",
            bad,
            Some(Remedy::EditKey(1)),
        ),
        (
            "a target whose key is being loaded",
            with(idle(), |it| {
                it.targets = vec![TargetView::idle(with_stored_key())];
                it.keys_pending = true;
            }),
            "Waiting for the keyring.",
            "",
            info,
            None,
        ),
        (
            "a target whose key is being loaded, before one without a server",
            with(idle(), |it| {
                let other = Target::custom(2, "", "".into());
                it.targets = [with_stored_key(), other].map(TargetView::idle).into();
                it.keys_pending = true;
            }),
            "The new target has no server address.",
            "Enter the address that the service gives you.",
            bad,
            Some(Remedy::EditTarget(2)),
        ),
        (
            "a target whose key the keyring does not deliver",
            with(idle(), |it| {
                it.targets = vec![TargetView::idle(with_stored_key())];
                it.notices.push(notice(&StudioMessage::KeyringSilent {}));
            }),
            "The keyring is not responding, so the stored stream keys are unavailable.",
            "Unlock the keyring so that onair can use the keys",
            bad,
            Some(Remedy::EditKey(1)),
        ),
        (
            "the broadcast waits for the keyring",
            with(idle(), |it| {
                (it.has_postponed_commands, it.waits_to_go_live) = (true, true);
                it.keys_pending = true;
            }),
            "Waiting for the keyring.",
            "",
            None,
            None,
        ),
        (
            "an address that is none, whatever the key is",
            with(idle(), |it| {
                let target = Target::custom(1, "rtmp://:::/%%%", "".into());
                it.targets = vec![TargetView::idle(Target { key_apart: true, ..target })];
            }),
            "The new target has no valid server address.",
            "An IPv6 address needs brackets",
            bad,
            Some(Remedy::EditTarget(1)),
        ),
        (
            "an address without an application, with a key",
            with(idle(), |it| {
                let target = Target::custom(1, "rtmp://live.twitch.tv", "key".into());
                it.targets = vec![TargetView::idle(target)];
            }),
            "The address of live.twitch.tv has no application.",
            "Complete the address, for example rtmp://server/app.",
            bad,
            Some(Remedy::EditTarget(1)),
        ),
        (
            "a key with a space",
            with(idle(), |it| {
                let target = Target::custom(1, "rtmp://live.twitch.tv/app", "two words".into());
                it.targets = vec![TargetView::idle(target)];
            }),
            "live.twitch.tv: the stream key contains a space.",
            "Copy the key again from the service's dashboard, without spaces.",
            bad,
            Some(Remedy::EditKey(1)),
        ),
        (
            "the microphone is dead, and music plays at -18 dB",
            with(on_air(), |it| {
                it.audio.as_mut().unwrap().held_dbfs = -60.0;
                it.loudness.held_dbfs = -18.0;
            }),
            "All good.",
            "2 watching",
            None,
            None,
        ),
        (
            "nothing is heard at all",
            with(on_air(), |it| it.audio.as_mut().unwrap().held_dbfs = -60.0),
            "No audio: the program is silent.",
            "Check the microphone and the faders.",
            bad,
            Some(Remedy::OpenMixer),
        ),
        (
            "nothing is heard of a file, beside which there is no microphone",
            with(on_air(), |it| {
                let audio = it.audio.as_mut().unwrap();
                (audio.choice, audio.held_dbfs) = ("file:a.mp4".parse().unwrap(), -60.0);
                it.strips.clear();
            }),
            "No audio: the program is silent.",
            "The file or stream is playing, but contains only silence now.",
            bad,
            Some(Remedy::OpenMixer),
        ),
        (
            "nothing is heard, because the push-to-talk key is not held",
            with(on_air(), |it| talks(it, false, false)),
            "All good.",
            "2 watching",
            None,
            None,
        ),
        (
            "nothing is heard, and one of two microphones is always open",
            with(on_air(), |it| talks_beside(it, "mic:guest", TalkMode::Open, false)),
            "No audio: the program is silent.",
            "Check the microphone and the faders.",
            bad,
            Some(Remedy::OpenMixer),
        ),
        (
            "nothing is heard, because both push-to-talk keys are not held",
            with(on_air(), |it| talks_beside(it, "mic:guest", TalkMode::PushToTalk, false)),
            "All good.",
            "2 watching",
            None,
            None,
        ),
        (
            "nothing is heard, because one key is not held and the other microphone is muted",
            with(on_air(), |it| talks_beside(it, "mic:guest", TalkMode::Open, true)),
            "All good.",
            "2 watching",
            None,
            None,
        ),
        (
            "nothing is heard, because the key is not held and the clip is hidden",
            with(on_air(), |it| talks_beside(it, "file:a.mp4", TalkMode::WhileShown, false)),
            "All good.",
            "2 watching",
            None,
            None,
        ),
        (
            "nothing is heard, although the push-to-talk key is held",
            with(on_air(), |it| talks(it, true, false)),
            "No audio: the program is silent.",
            "Check the microphone and the faders.",
            bad,
            Some(Remedy::OpenMixer),
        ),
        (
            "nothing is heard, because only the operator hears the microphone",
            with(on_air(), |it| not_in_program(it, mix::MonitoringMode::MonitorOnly)),
            "No audio: the program is silent.",
            "Check the microphone and the faders.",
            bad,
            Some(Remedy::OpenMixer),
        ),
        (
            "nothing is heard, because the microphone is only in a track of the recording",
            with(recording(), |it| not_in_program(it, mix::MonitoringMode::Tracks)),
            "No audio: the program is silent.",
            "Check the microphone and the faders.",
            bad,
            Some(Remedy::OpenMixer),
        ),
        (
            "nothing is heard, and a microphone that waits for its key is not in the program",
            with(on_air(), |it| {
                not_in_program(it, mix::MonitoringMode::MonitorOnly);
                it.strips[0].held = false;
            }),
            "No audio: the program is silent.",
            "Check the microphone and the faders.",
            bad,
            Some(Remedy::OpenMixer),
        ),
        (
            "silence, on purpose, and only the operator hears a microphone",
            with(on_air(), |it| {
                talks_beside(it, "mic:guest", TalkMode::Open, false);
                silence(it, true);
                it.strips[1].audio.strip.monitoring = mix::MonitoringMode::MonitorOnly;
                it.strips[1].meter.held_dbfs = -18.0;
            }),
            "All good.",
            "2 watching",
            None,
            None,
        ),
        (
            "nothing is heard from a muted microphone with push-to-talk",
            with(on_air(), |it| talks(it, false, true)),
            "The audio is muted.",
            "The program is silent.",
            bad,
            Some(Remedy::Unmute),
        ),
        (
            "there is no microphone, so onair sends silence",
            with(on_air(), |it| silence(it, false)),
            "No audio: no microphone is chosen.",
            "Choose an audio source in the audio mixer, or choose Silence.",
            bad,
            Some(Remedy::OpenMixer),
        ),
        (
            "silence, on purpose",
            with(on_air(), |it| silence(it, true)),
            "All good.",
            "2 watching",
            None,
            None,
        ),
        (
            "muted, and nothing else is heard",
            with(on_air(), |it| it.audio.as_mut().unwrap().muted = true),
            "The audio is muted.",
            "The program is silent.",
            bad,
            Some(Remedy::Unmute),
        ),
        (
            "nobody watches",
            with(on_air(), |it| {
                it.server.viewers = 0;
                it.targets[0].monitor = Some(monitor("ok", Some(96)));
            }),
            "All good.",
            "No viewers on the built-in server",
            None,
            None,
        ),
        (
            "not at Twitch",
            with(on_air(), |it| lost(it, &problem!("net-connection-refused"), false)),
            "On air, but not on Twitch.",
            "Attempt 4 in 3 s · Connection refused: nothing is listening on this port",
            worse,
            Some(Remedy::RetryNow),
        ),
        (
            "a wrong key, elsewhere on air",
            with(on_air(), |it| lost(it, &problem!("net-closed"), true)),
            "On air, but Twitch refuses the stream. Is the stream key correct?",
            "Attempt 4 in 3 s · The server closed the connection",
            worse,
            Some(Remedy::EditKey(1)),
        ),
        (
            "a wrong login, elsewhere on air",
            with(on_air(), |it| lost(it, &wrong_login(), true)),
            "On air, but Twitch refuses the login. Are the user name and password correct?",
            "Attempt 4 in 3 s",
            worse,
            Some(Remedy::EditTarget(1)),
        ),
        (
            "a wrong login, nowhere on air",
            with(off_air(true, false), |it| lost(it, &wrong_login(), true)),
            "Not on air: Twitch refuses the login. Are the user name and password correct?",
            "Attempt 4 in 3 s",
            worse,
            Some(Remedy::EditTarget(1)),
        ),
        (
            "a wrong key, nowhere on air",
            off_air(true, false),
            "Not on air: Twitch refuses the stream. Is the stream key correct?",
            "Attempt 4 in 3 s · The server closed the connection",
            worse,
            Some(Remedy::EditKey(1)),
        ),
        (
            "never connected: no viewers are cut off",
            off_air(false, false),
            "Not on air yet: onair cannot connect to Twitch.",
            "Attempt 4 in 3 s · Connection refused: nothing is listening on this port",
            worse,
            Some(Remedy::RetryNow),
        ),
        (
            "never connected to a port that somebody typed",
            with(off_air(false, false), typed),
            "Not on air yet: onair cannot connect to School.",
            "Connection refused: nothing is listening on this port · Check the port",
            worse,
            Some(Remedy::EditTarget(1)),
        ),
        (
            "a proxy that does not listen, before the first connection",
            with(off_air(false, false), |it| {
                typed(it);
                let problem = problem!("net-connection-refused");
                let proxy = "proxy.example:8080";
                let cause = problem!("net-proxy-unreachable", proxy = proxy, problem = problem);
                it.targets[1].cause = Some(cause);
            }),
            "Not on air yet: onair cannot connect to School.",
            "Attempt 4 in 3 s · onair cannot reach the proxy proxy.example:8080:",
            worse,
            Some(Remedy::RetryNow),
        ),
        (
            "a target without a key was added on air",
            with(on_air(), |it| {
                let target = Target::custom(2, "rtmp://media.school.example/live", "".into());
                it.targets.push(TargetView::idle(Target { key_apart: true, ..target }));
            }),
            "media.school.example has no stream key.",
            "Enter the key that the service or the server's operator gives you.",
            info,
            Some(Remedy::EditKey(2)),
        ),
        (
            "a target without an address was added on air",
            with(on_air(), |it| {
                it.targets.push(TargetView::idle(Target::custom(2, "", "".into())));
            }),
            "The new target has no server address.",
            "Enter the address that the service gives you.",
            info,
            Some(Remedy::EditTarget(2)),
        ),
        (
            "a wrong host, elsewhere on air",
            with(on_air(), |it| {
                lost(it, &problem!("net-no-such-host"), false);
                it.targets[1].state = Some(TargetState::Connecting);
                typed(it);
            }),
            "On air, but not on School.",
            "Unknown host · Check the spelling of the server address · Attempt 4 in 3 s",
            worse,
            Some(Remedy::EditTarget(1)),
        ),
        (
            "the connection was lost while recording",
            with(off_air(false, true), |it| records(it, false)),
            "Not on air: the connection to Twitch was lost.",
            "Attempt 4 in 3 s · Connection refused: nothing is listening on this port · Recording continues",
            worse,
            Some(Remedy::RetryNow),
        ),
        (
            "given up, the broadcast has ended",
            with(idle(), |it| {
                it.targets.push(TargetView::idle(twitch()));
                it.notices.push(refused(Next::GivenUp));
            }),
            "Twitch: the server closed the connection. onair will not retry.",
            "",
            worse,
            Some(Remedy::EditKey(1)),
        ),
        (
            "given up, and other targets are on air",
            with(on_air(), |it| {
                lost(it, &problem!("net-connection-refused"), false);
                let entry = &mut it.targets[1];
                (entry.state, entry.retry_in) = (Some(TargetState::Failed), None);
            }),
            "On air, but not on Twitch.",
            "Connection refused: nothing is listening on this port · onair will not retry",
            worse,
            Some(Remedy::StartTarget(1)),
        ),
        (
            "two targets are lost",
            with(off_air(false, true), |it| {
                let other = Target::custom(2, "rtmp://media.school.example/live", "key".into());
                let cause = Some(problem!("net-closed"));
                it.targets.push(TargetView { cause, ..TargetView::idle(other) });
            }),
            "Not on air: the connection to Twitch was lost.",
            "Attempt 4 in 3 s · Connection refused: nothing is listening on this port · One more target is not connected",
            worse,
            Some(Remedy::RetryNow),
        ),
        (
            "the broadcast is lost, and no target has a cause yet",
            with(on_air(), |it| {
                let (retry_in, cause) = (Duration::from_secs(2), problem!("net-closed"));
                it.live = LiveState::Reconnecting { retry_in, cause };
            }),
            "Not on air: the connection to the server was lost.",
            "The server closed the connection",
            worse,
            Some(Remedy::RetryNow),
        ),
        (
            "a server accepts no data",
            with(on_air(), |it| {
                let stalled = address::stalled(1, "Twitch", Flow::Silent).unwrap();
                it.notices.push(notice(&stalled));
            }),
            "On air, but no data is reaching Twitch.",
            "The server no longer accepts data",
            worse,
            None,
        ),
        (
            "the stream reaches a server late",
            with(on_air(), |it| it.targets[1].queued = Duration::from_millis(1_900)),
            "The connection is slow: the send queue is 1.9\u{a0}s long.",
            "If this continues, choose a lower bitrate.",
            bad,
            None,
        ),
        (
            "one target gets the second encode",
            with(on_air(), |it| it.targets[1].rendition_id = RenditionId::Second),
            "All good.",
            "2 watching · Lower quality for Twitch",
            None,
            None,
        ),
        (
            "the microphone is muted, and music plays",
            with(on_air(), |it| {
                it.audio.as_mut().unwrap().muted = true;
                it.loudness.held_dbfs = -18.0;
            }),
            "All good.",
            "2 watching · An audio source is muted",
            None,
            None,
        ),
        (
            "a file is being opened",
            with(idle(), |it| sends(it, true)),
            "Opening tour.mp4.",
            "",
            None,
            None,
        ),
        (
            "a file is on air, whatever the sources do",
            with(on_air(), |it| {
                it.video.as_mut().unwrap().state = SourceState::Lost;
                it.audio.as_mut().unwrap().muted = true;
                sends(it, false);
            }),
            "You are broadcasting the file tour.mp4.",
            "The file replaces your scenes",
            None,
            None,
        ),
        (
            "recording only",
            with(idle(), |it| records(it, false)),
            "Recording, not on air.",
            "",
            None,
            None,
        ),
        (
            "recording only, paused",
            with(idle(), |it| records(it, true)),
            "The recording is paused.",
            "",
            info,
            None,
        ),
        (
            "ending",
            with(on_air(), |it| it.live = LiveState::Stopping),
            "Ending the broadcast.",
            "",
            None,
            None,
        ),
        (
            "viewers see black",
            with(on_air(), |it| it.targets[1].monitor = Some(monitor("black", None))),
            "On air. Twitch: Viewers see black video.",
            "",
            bad,
            Some(Remedy::ShowViewers(1)),
        ),
        (
            "frames are dropped, and the bitrate can be lowered",
            with(on_air(), |it| {
                let (host, kbps) = ("Twitch".into(), Some(1_800));
                it.notices.push(notice(&StudioMessage::FramesDropped { id: 1, host, kbps }));
            }),
            "The connection to Twitch is too slow: onair is dropping frames.",
            "Choose a lower bitrate, and check what else is using the connection.",
            bad,
            Some(Remedy::LowerBitrate(1_800)),
        ),
        (
            "much was dropped once, and nothing is now",
            with(on_air(), |it| {
                (it.figures.dropped_frames, it.figures.total_frames) = (900, 9_000);
            }),
            "All good.",
            "2 watching",
            None,
            None,
        ),
        (
            "the only source is gone",
            with(on_air(), |it| it.video.as_mut().unwrap().state = SourceState::Lost),
            "Test pattern is not sending any video.",
            "Until the source is back, viewers see the fallback or a placeholder",
            bad,
            Some(Remedy::UseTestSource),
        ),
        (
            "the only source is gone, and there are no viewers",
            with(idle(), |it| it.video.as_mut().unwrap().state = SourceState::Lost),
            "Test pattern is not sending any video.",
            "onair shows Test pattern again as soon as it works. You can also choose another source.",
            bad,
            Some(Remedy::UseTestSource),
        ),
        (
            "a camera is unplugged off air",
            with(idle(), unplugged),
            "Camera Cam is disconnected.",
            "Plug the camera in again. onair then resumes automatically.",
            bad,
            Some(Remedy::EditSource(MAIN_SOURCE)),
        ),
        (
            "a camera is unplugged on air",
            with(on_air(), unplugged),
            "Camera Cam is disconnected.",
            "Until the source is back, viewers see the fallback or a placeholder",
            bad,
            Some(Remedy::EditSource(MAIN_SOURCE)),
        ),
        (
            "a camera is still being opened",
            with(idle(), |it| it.video.as_mut().unwrap().state = SourceState::Opening),
            "Opening Test pattern.",
            "",
            info,
            None,
        ),
        (
            "something is only good to know",
            with(on_air(), |it| {
                let (wanted, used) = ("1935".into(), "1936".into());
                it.notices.push(notice(&StudioMessage::PortTaken { wanted, used }));
            }),
            "Port 1935 is in use. The built-in server uses port 1936 instead.",
            "",
            info,
            None,
        ),
        (
            "connecting",
            with(idle(), |it| it.live = LiveState::Connecting { stage: "tcp" }),
            "Connecting to the server.",
            "Built-in server",
            None,
            None,
        ),
        ("only recording", recording(), "Recording, not on air.", "", None, None),
        (
            "only recording, 17 of 30 frames",
            with(recording(), |it| it.figures.fps = 17.0),
            "This computer is too slow: only 17 of 30 fps.",
            "Close other programs, or hide sources. Next time, choose",
            bad,
            None,
        ),
        (
            "a recording has just begun, so its frame rate is not known",
            with(recording(), |it| {
                it.figures.fps = 0.0;
                it.recording.as_mut().unwrap().duration = Duration::from_secs(2);
            }),
            "Recording, not on air.",
            "",
            None,
            None,
        ),
        (
            "only recording, muted",
            with(recording(), |it| it.audio.as_mut().unwrap().muted = true),
            "The audio is muted.",
            "The program is silent.",
            bad,
            Some(Remedy::Unmute),
        ),
        (
            "only recording, nothing is heard at all",
            with(recording(), |it| it.audio.as_mut().unwrap().held_dbfs = -60.0),
            "No audio: the program is silent.",
            "Check the microphone and the faders.",
            bad,
            Some(Remedy::OpenMixer),
        ),
        (
            "only recording, the microphone is muted, and music plays",
            with(recording(), |it| {
                it.audio.as_mut().unwrap().muted = true;
                it.loudness.held_dbfs = -18.0;
            }),
            "Recording, not on air.",
            "An audio source is muted",
            None,
            None,
        ),
        (
            "only recording, audio only, on purpose",
            with(recording(), audio_only),
            "This recording has audio only.",
            "",
            info,
            None,
        ),
        (
            "a paused recording with audio only",
            with(recording(), |it| {
                audio_only(it);
                it.recording.as_mut().unwrap().paused = true;
            }),
            "The recording is paused.",
            "",
            info,
            None,
        ),
        (
            "only recording, video and audio, and the scene is empty",
            with(recording(), empty_scene),
            "The scene Main has no visible source.",
            "Add a source, or show a hidden source.",
            bad,
            Some(Remedy::UseTestSource),
        ),
        (
            "the audio is muted, and a player failed",
            with(on_air(), |it| {
                it.audio.as_mut().unwrap().muted = true;
                let (cause, trust) = (problem!("net-closed"), None);
                it.notices.push(notice(&StudioMessage::Watch { key: "watch-lost", cause, trust }));
            }),
            "The audio is muted.",
            "The program is silent.",
            bad,
            Some(Remedy::Unmute),
        ),
        (
            "viewers see black, and a screenshot failed",
            with(on_air(), |it| {
                it.targets[1].monitor = Some(monitor("black", None));
                it.notices.push(no_screenshot());
            }),
            "On air. Twitch: Viewers see black video.",
            "",
            bad,
            Some(Remedy::ShowViewers(1)),
        ),
        (
            "only recording, a camera is unplugged, and a screenshot failed",
            with(recording(), |it| {
                unplugged(it);
                it.notices.push(no_screenshot());
            }),
            "Camera Cam is disconnected.",
            "Plug the camera in again. onair then resumes automatically.",
            bad,
            Some(Remedy::EditSource(MAIN_SOURCE)),
        ),
        (
            "audio only, on purpose, and a screenshot failed",
            with(on_air(), |it| {
                audio_only(it);
                it.notices.push(no_screenshot());
            }),
            "Cannot save the screenshot a.png: the disk has too little free space.",
            "Free some space on the disk",
            worse,
            Some(Remedy::ChooseFolder),
        ),
        (
            "no target is on, and a screenshot failed",
            with(idle(), |it| {
                it.targets[0].target.enabled = false;
                it.notices.push(no_screenshot());
            }),
            "Cannot save the screenshot a.png: the disk has too little free space.",
            "Free some space on the disk",
            worse,
            Some(Remedy::ChooseFolder),
        ),
        (
            "a paused recording is not judged",
            with(recording(), |it| {
                it.figures.fps = 17.0;
                it.audio.as_mut().unwrap().muted = true;
                it.recording.as_mut().unwrap().paused = true;
            }),
            "The recording is paused.",
            "",
            info,
            None,
        ),
    ]
}

#[test]
fn every_state_has_its_sentence_cause_and_button() {
    for (name, snapshot, sentence, beside, level, remedy) in rows() {
        let health = Health::of(&snapshot);
        let words = health.words(Language::English);
        assert_eq!(words.0, sentence, "{name}");
        assert!(
            words.1.starts_with(beside) && words.1.is_empty() == beside.is_empty(),
            "{name}: {words:?}"
        );
        assert_eq!((health.level, health.remedy), (level, remedy), "{name}");
        let (chinese, _) = health.words(Language::Chinese);
        assert!(chinese.chars().any(|it| ('\u{4E00}'..='\u{9FFF}').contains(&it)), "{chinese}");
    }
}

#[test]
fn the_chinese_sentence_quotes_the_name_of_a_scene() {
    let words = Health::of(&with(idle(), empty_scene)).words(Language::Chinese);
    assert_eq!(words.0, "没有画面：场景“Main”没有显示任何来源。");
}

#[test]
fn without_a_broadcast_the_health_bar_does_not_mention_viewers() {
    let off_air: Vec<Row> =
        rows().into_iter().filter(|(_, snapshot, ..)| !is_broadcasting(snapshot)).collect();
    assert!(off_air.iter().filter(|(_, snapshot, ..)| snapshot.recording.is_some()).count() > 3);
    for (name, snapshot, ..) in off_air {
        for (language, viewers) in [(Language::English, "iewers"), (Language::Chinese, "观众")] {
            let words = Health::of(&snapshot).words(language);
            assert!(!words.0.contains(viewers) && !words.1.contains(viewers), "{name}: {words:?}");
        }
    }
}

/// Viewers get nothing until the user resumes the broadcast.
#[test]
fn the_offer_to_resume_precedes_the_problems_of_sources() {
    let (targets, scene) = ("Twitch".into(), "Main".into());
    let mut snapshot = idle();
    snapshot.notices.push(notice(&StudioMessage::Interrupted { targets, scene }));
    let lost = notice(&StudioMessage::CameraLost { device: "Cam".into() });
    snapshot.notices.push(Notice { id: 8, ..lost });
    assert_eq!(Health::of(&snapshot).remedy, Some(Remedy::Resume));
}

/// Checks that the sentence is never good while a notice is active, in any state.
#[test]
fn it_is_never_good_while_a_notice_holds() {
    let device = || "Yeti".to_owned();
    let alarm = SourceAlarm::Silent;
    let messages = [
        StudioMessage::CameraLost { device: device() },
        StudioMessage::Alarm { alarm, device: device() },
        StudioMessage::EncoderSlow { percent: "12 %".into() },
        StudioMessage::RecordingSaved { path: "a.mp4".into() },
        StudioMessage::NoMicrophone { instead: "silence".into() },
        StudioMessage::DelayOn { time: "5:00".into() },
    ];
    for (name, snapshot, ..) in rows() {
        let alone = Health::of(&snapshot);
        for message in &messages {
            let mut snapshot = snapshot.clone();
            snapshot.notices.insert(0, Notice { id: 99, ..notice(message) });
            let health = Health::of(&snapshot);
            assert!(health.level.is_some(), "{name} and {message:?}: {:?}", health.sentence);
            // A warning about the program can replace an error that concerns only the operator.
            let least = alone.level.min(Some(Level::Warning));
            assert!(health.level >= least, "{name} and {message:?}");
        }
    }
}

#[test]
fn what_one_sentence_says_is_not_counted_again() {
    let mut snapshot = on_air();
    lost(&mut snapshot, &problem!("net-closed"), true);
    snapshot.notices.push(refused(Next::Retry(Duration::from_secs(2))));
    assert_eq!(Health::of(&snapshot).more, 0);
    snapshot.notices.push(Notice { id: 8, ..disk_full() });
    let health = Health::of(&snapshot);
    assert_eq!(health.more, 1);
    assert_eq!(health.sentence.id(), "health-partly-refused");
}

/// A server that drains, restarts or fails may accept the same stream key later.
#[test]
fn a_server_that_fails_or_closes_the_connection_blames_no_key() {
    let failed = || problem!("net-refused-failed");
    let drains = problem!("net-server-says", cause = failed(), words = "AppShutdown");
    let closed = || problem!("net-refused-closed");
    for (cause, is_key) in [
        (problem!("net-at-connect", cause = drains), false),
        (problem!("net-at-publish", cause = failed()), false),
        (problem!("net-at-connect", cause = closed()), false),
        (problem!("net-at-publish", cause = closed()), true),
        (problem!("net-at-publish", cause = problem!("net-refused-rejected")), true),
    ] {
        let partly = with(on_air(), |it| lost(it, &cause, true));
        let before = with(off_air(true, false), |it| lost(it, &cause, true));
        let after = with(off_air(true, true), |it| lost(it, &cause, true));
        let expected = match is_key {
            true => ["health-partly-refused", "health-refused", "health-refused"],
            false => ["health-partly", "health-not-reached", "health-lost"],
        };
        let remedy = if is_key { Remedy::EditKey(1) } else { Remedy::RetryNow };
        for (snapshot, sentence) in [partly, before, after].iter().zip(expected) {
            let health = Health::of(snapshot);
            let found = (health.sentence.id(), health.remedy);
            assert_eq!(found, (sentence, Some(remedy)), "{cause}");
        }
        let (key, host, next) = ("target-refused", "h".into(), Next::Retry(Duration::ZERO));
        let message = StudioMessage::Target { key, id: 1, pin: None, host, cause, next };
        assert_eq!(message.remedies().first(), Some(&remedy));
    }
}

#[test]
fn the_sentence_goes_by_the_stage_and_by_the_servers_own_text() {
    let rejected = problem!("net-refused-rejected");
    let says = problem!("net-server-says", words = "room banned", code = "c", cause = rejected);
    for (cause, stage, is_refused, expected, remedy) in [
        (
            problem!("net-at-connect", cause = problem!("net-closed")),
            "connect",
            true,
            "health-app-refused",
            Remedy::EditTarget(1),
        ),
        (
            problem!("net-at-publish", cause = says),
            "publish",
            true,
            "health-says",
            Remedy::EditTarget(1),
        ),
        (problem!("net-refused-busy"), "publish", false, "health-not-accepted", Remedy::RetryNow),
        (
            problem!("net-at-handshake", cause = problem!("net-unanswered", seconds = "3")),
            "handshake",
            false,
            "health-no-answer",
            Remedy::RetryNow,
        ),
        (problem!("net-unreachable"), "tcp", false, "health-not-reached", Remedy::RetryNow),
    ] {
        let before = with(off_air(true, false), |it| {
            lost(it, &cause, is_refused);
            it.targets[1].stage = Some(stage);
        });
        let health = Health::of(&before);
        assert_eq!((health.sentence.id(), health.remedy), (expected, Some(remedy)), "{cause}");
        if expected == "health-says" {
            assert!(health.words(Language::English).0.contains("room banned"));
        }
    }
}

#[test]
fn a_server_that_closes_each_connection_after_the_same_time_is_not_all_good() {
    assert_eq!(Health::of(&on_air()).sentence.id(), "health-good");
    let closes = Some((3, Duration::from_secs(20)));
    let health = Health::of(&with(on_air(), |it| it.targets[1].closes = closes));
    assert_eq!(health.sentence.id(), "health-closes");
    assert!(health.words(Language::English).0.contains("3 times, each after 20 s"));
}

/// A server can end a stream for any reason. The key is one of several possible reasons.
#[test]
fn a_server_that_ends_a_stream_it_had_accepted_blames_no_key() {
    let refusal = problem!("net-refused-rejected");
    let cause = problem!("net-server-says", cause = refusal, words = "replaced");
    let cause = problem!("net-at-media", cause = cause);
    let partly = with(on_air(), |it| lost(it, &cause, true));
    let failed = with(off_air(true, true), |it| {
        lost(it, &cause, true);
        (it.targets[1].state, it.targets[1].retry_in) = (Some(TargetState::Failed), None);
    });
    for (snapshot, sentence, remedy) in [
        (partly, "health-partly-ended", Remedy::RetryNow),
        (failed, "health-ended", Remedy::StartTarget(1)),
    ] {
        let health = Health::of(&snapshot);
        assert_eq!((health.sentence.id(), health.remedy), (sentence, Some(remedy)));
        assert!(health.words(Language::English).0.ends_with("Twitch ended the stream."));
    }
    for (next, remedy) in
        [(Next::Retry(Duration::ZERO), Remedy::RetryNow), (Next::GivenUp, Remedy::StartTarget(1))]
    {
        let (key, host, cause) = ("target-refused", "h".into(), cause.clone());
        let message = StudioMessage::Target { key, id: 1, pin: None, host, cause, next };
        assert_eq!(message.remedies(), [remedy, Remedy::EditKey(1), Remedy::SwitchOff(1)]);
    }
    let denied = problem!("net-at-media", cause = problem!("net-refused-unauthorized"));
    let denied = with(on_air(), |it| lost(it, &denied, true));
    assert_eq!(Health::of(&denied).remedy, Some(Remedy::EditKey(1)));
}

#[test]
fn the_same_problem_of_another_target_is_counted() {
    let dropped = |id: u32, host: &str| {
        let (host, kbps) = (host.to_owned(), None);
        Notice { id: id.into(), ..notice(&StudioMessage::FramesDropped { id, host, kbps }) }
    };
    let mut snapshot = on_air();
    snapshot.notices.push(dropped(1, "Twitch"));
    assert_eq!(Health::of(&snapshot).more, 0);
    snapshot.notices.push(dropped(2, "other"));
    let health = Health::of(&snapshot);
    assert_eq!((health.sentence.id(), health.more), ("health-dropping", 1));

    let black = |id: u64, host: &str| {
        let (host, cause) = (host.to_owned(), Problem::default());
        let message = StudioMessage::Monitor { key: "monitor-black", host, cause };
        Notice { id, ..notice(&message) }
    };
    let mut snapshot = on_air();
    snapshot.targets[1].monitor = Some(monitor("black", None));
    snapshot.notices.push(black(1, "Twitch"));
    assert_eq!(Health::of(&snapshot).more, 0);
    snapshot.notices.push(black(2, "other"));
    let health = Health::of(&snapshot);
    assert_eq!((health.sentence.id(), health.more), ("health-viewers", 1));
}

/// The card of this target does not repeat the cause.
#[test]
fn the_health_names_the_target_whose_cause_it_shows() {
    let mut snapshot = on_air();
    assert_eq!(Health::of(&snapshot).target, None);
    lost(&mut snapshot, &problem!("net-closed"), false);
    let health = Health::of(&snapshot);
    assert_eq!((health.target, health.details.last()), (Some(1), Some(&problem!("net-closed"))));
    snapshot.targets[1].state = Some(TargetState::Failed);
    let words = Health::of(&snapshot).words(Language::English).1;
    assert_eq!(words, "The server closed the connection · onair will not retry");
    assert_eq!(Health::of(&off_air(false, true)).target, Some(1));
    let given_up = with(idle(), |it| it.notices.push(refused(Next::GivenUp)));
    assert_eq!(Health::of(&given_up).target, Some(1));
    let dropping = with(on_air(), |it| {
        let (host, kbps) = ("Twitch".into(), None);
        it.notices.push(notice(&StudioMessage::FramesDropped { id: 1, host, kbps }));
    });
    assert_eq!(Health::of(&dropping).target, None);
}

#[test]
fn a_target_without_a_name_is_named_by_its_host_and_port() {
    let mut snapshot = on_air();
    lost(&mut snapshot, &problem!("net-closed"), false);
    snapshot.targets[1].target = Target::custom(1, "rtmp://127.0.0.1:1936/live", "key".into());
    let words = Health::of(&snapshot).words(Language::English).0;
    assert_eq!(words, "On air, but not on 127.0.0.1:1936.");
}

/// The panel shows the stream delay only if the health bar does not.
#[test]
fn the_stream_delay_is_in_the_details_unless_there_is_a_problem() {
    let delay = Duration::from_secs(300);
    let (state, begins_in) = (DelayState::On, None);
    let held =
        DelayFigures { state, delay, held: delay, begins_in, memory_bytes: 0, disk_bytes: 0 };
    let delayed = with(on_air(), |it| it.held = Some(held));
    let health = Health::of(&delayed);
    assert!(health.is_about_delay());
    assert_eq!(health.words(Language::English).1, "Viewers are 5:00 behind live · 2 watching");
    assert!(!Health::of(&with(delayed, |it| it.figures.fps = 17.0)).is_about_delay());
    assert!(!Health::of(&on_air()).is_about_delay());
}

#[test]
fn a_too_slow_sentence_ends_with_the_problem() {
    let mut snapshot = on_air();
    snapshot.notices.push(notice(&StudioMessage::EncoderSlow { percent: "40 %".into() }));
    snapshot.figures.fps = 17.0;
    let health = Health::of(&snapshot);
    assert_eq!((health.sentence.id(), health.more), ("health-too-slow", 0));
    // The studio withdraws the notice (studio/engine/handlers/poll).
    snapshot.figures.fps = 30.0;
    snapshot.notices.clear();
    assert_eq!(Health::of(&snapshot).level, None);
}

#[test]
fn the_loss_of_most_frames_precedes_one_failed_source() {
    let mut snapshot = on_air();
    let mut collection = Collection::default();
    let (scene, choice) = (collection.current, VideoChoice::Test);
    assert!(collection.apply(&Edit::AddSource { scene, name: "Logo".into(), choice }));
    snapshot.scenes.sources = vec![SceneSource {
        id: collection.sources[0].id,
        state: SourceState::Failed,
        name: "Logo".into(),
        size: None,
        frame_size: None,
        reason: Problem::default(),
        playing: None,
        left_out: Arc::default(),
        filter_problems: Vec::new(),
        device: String::new(),
    }];
    snapshot.scenes.collection = Arc::new(collection);
    let of = |snapshot: &Snapshot| Health::of(snapshot).sentence.id();
    let gone = "health-source-gone";
    for (fps, sentence) in [(30.0, gone), (17.0, gone), (11.7, "health-too-slow")] {
        snapshot.figures.fps = fps;
        assert_eq!(of(&snapshot), sentence, "{fps}");
    }
    // Without any video, frames are of no use.
    snapshot.video.as_mut().unwrap().state = SourceState::Failed;
    assert_eq!(of(&snapshot), gone);
}

#[test]
fn what_the_studio_does_is_one_word() {
    let of = |snapshot: &Snapshot| Health::of(snapshot).activity;
    assert_eq!(of(&idle()), Activity::Ready);
    assert_eq!(of(&with(idle(), empty_scene)), Activity::NotReady);
    assert_eq!(of(&with(idle(), |it| it.waits_to_go_live = true)), Activity::Connecting);
    assert_eq!(of(&on_air()), Activity::OnAir);
    let waits = with(on_air(), |it| it.waits_to_go_live = true);
    assert!(of(&waits) == Activity::OnAir && !waits.is_starting(), "to stop needs a question");
    assert_eq!(of(&off_air(false, true)), Activity::Reconnecting);
    assert_eq!(of(&off_air(true, false)), Activity::Connecting);
    assert_eq!(of(&with(on_air(), |it| it.live = LiveState::Stopping)), Activity::Stopping);
}

#[test]
fn a_problem_without_a_notice_is_counted_by_the_bell() {
    assert!(!Health::of(&idle()).alone);
    assert!(Health::of(&with(idle(), empty_scene)).alone);
    let mut snapshot = on_air();
    lost(&mut snapshot, &problem!("net-closed"), true);
    assert!(Health::of(&snapshot).alone);
    snapshot.notices.push(refused(Next::Retry(Duration::from_secs(2))));
    assert!(!Health::of(&snapshot).alone);
}

/// Checks that the indicators next to *Go Live* never contradict the state of a source or a notice.
#[test]
fn video_and_audio_are_ready_only_without_a_reported_problem() {
    let of = |snapshot: &Snapshot| {
        let ready = readiness(snapshot);
        (ready.video, ready.audio)
    };
    let reported = |message: StudioMessage| with(idle(), |it| it.notices.push(notice(&message)));
    let device = || "Yeti".to_owned();
    assert_eq!(of(&idle()), (true, true));
    assert_eq!(of(&with(idle(), empty_scene)), (false, true));
    let video = |state| with(idle(), |it| it.video.as_mut().unwrap().state = state);
    assert_eq!(of(&video(SourceState::Lost)), (false, true));
    let song = |format| {
        let choice = VideoChoice::File("song.mp3".into());
        with(idle(), |it| {
            let video = it.video.as_mut().unwrap();
            (video.choice, video.format) = (choice, format);
        })
    };
    assert_eq!(of(&song(None)), (false, true), "the file has only audio");
    assert!(!song(None).delivers_video());
    let format = Some((crate::media::Size::new(64, 36), 30.0));
    assert_eq!(of(&song(format)), (true, true));
    let audio = |state| with(idle(), |it| it.audio.as_mut().unwrap().state = state);
    assert_eq!(of(&audio(SourceState::Stalled)), (true, false));
    assert_eq!(of(&with(idle(), |it| it.audio.as_mut().unwrap().muted = true)), (true, false));
    for monitoring in [mix::MonitoringMode::MonitorOnly, mix::MonitoringMode::Tracks] {
        assert_eq!(of(&with(idle(), |it| not_in_program(it, monitoring))), (true, false));
    }
    assert_eq!(of(&with(idle(), |it| silence(it, true))), (true, false));
    assert_eq!(of(&with(idle(), |it| silence(it, false))), (true, false));
    assert_eq!(of(&reported(StudioMessage::CameraLost { device: device() })), (false, true));
    let silent = StudioMessage::Alarm { alarm: SourceAlarm::Silent, device: device() };
    assert_eq!(of(&reported(silent)), (true, false));
    assert_eq!(of(&reported(StudioMessage::RecordingSaved { path: "a.mp4".into() })), (true, true));
}
