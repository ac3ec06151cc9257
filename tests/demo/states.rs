//! The states that the window can show. Long because each state is a table of all that it sets.

use super::scenes::{
    banner_source, built, camera_controls, camera_formats, camera_source, filtered, played,
    playing_sources, styled, workshop,
};
use super::strips::strips;
use super::tiles::{tile, wall};
use super::*;
use onair::server::{MutedPerson, Protocol};
use onair::studio::live::recording::free_space::DiskSpace;
use onair::studio::live::view::EncoderView;
use onair::studio::snapshot::ReplayFigures;
use onair::studio::targets::sharing::{NetworkAddress, ServerReach, ShareLinks};
use onair::studio::watch::own_chat::OwnChatView;
use onair::text::Problem;
use onair::text::problem::problem;
use onair::wire::chat::{ChatPost, ChatRole};

/// The names of the states.
pub const STATES: [&str; 44] = [
    "idle",
    "custom",
    "targets",
    "delayed",
    "film",
    "connecting",
    "black",
    "on-air",
    "shared",
    "server-off",
    "slow",
    "reconnecting",
    "stopping",
    "recording",
    "on-air-recording",
    "notices",
    "no-camera",
    "first-run",
    "ended",
    "recordings",
    "opening",
    "lost",
    "clipped",
    "guests",
    "mixer",
    "mixer-clipped",
    "filters",
    "properties",
    "scenes",
    "building",
    "missing",
    "media",
    "camera",
    "watch-idle",
    "watch-opening",
    "watching",
    "watch-reconnecting",
    "watch-ended",
    "watch-failed",
    "watch-behind",
    "watch-paused",
    "watch-file",
    "watch-wall",
    "watch-chat",
];

/// A morning in November 2026, as microseconds since the Unix epoch.
pub(super) const WALL_MICROS: i64 = 1_795_156_000_000_000;

/// The page that a state is about.
pub fn page_of(state: &str) -> Page {
    match state {
        "recordings" => Page::Recordings,
        _ if state.starts_with("watch") => Page::Watch,
        _ => Page::Studio,
    }
}

/// A chat with messages from three people.
fn chat() -> ChatView {
    let lines = [
        ("guest-12", "which crystal is that?"),
        ("guest-7", "画面真清晰"),
        ("guest-3", "that solder joint looks fine now"),
    ];
    let message =
        |(at, (name, text)): (usize, &(&str, &str))| onair::studio::watch::chat::ReceivedLine {
            number: at as u64 + 1,
            id: None,
            role: ChatRole::Viewer,
            line: Arc::new(ChatLine::new(name, text).unwrap()),
            refusal: None,
        };
    let lines = lines.iter().enumerate().map(message).collect();
    ChatView { state: Some(ChatState::Open), lines, ..ChatView::default() }
}

/// The chat of the user's own stream, with messages from viewers and from the streamer.
fn own_chat() -> OwnChatView {
    let lines = [
        (5, "guest-5", "which crystal is that?"),
        (7, "小明", "画面真清晰"),
        (1, "Streamer", "A 16 MHz quartz, from the drawer of old parts"),
        (9, "eve", "buy followers at example.com"),
    ];
    let post = |(at, (from, name, text)): (usize, &(u64, &str, &str))| ChatPost {
        id: at as u64 + 1,
        from: *from,
        role: if *from == 1 { ChatRole::Streamer } else { ChatRole::Viewer },
        line: ChatLine::new(name, text).unwrap(),
    };
    let muted = [MutedPerson { id: 4, name: "mallory".to_owned() }];
    OwnChatView {
        posts: lines.iter().enumerate().map(post).collect(),
        muted: muted.into(),
        own_id: 1,
    }
}

/// The figures of the built-in server that *Share* shows, on a computer with two networks.
fn share(reach: ServerReach) -> ServerFigures {
    let host = if reach.http { "192.168.1.20" } else { "127.0.0.1" };
    let http = format!("http://{host}:8088");
    let rtmp = if reach.rtmp { "192.168.1.20" } else { "127.0.0.1" };
    let links = ShareLinks {
        page: format!("{http}/watch/live/onair"),
        hls: format!("{http}/live/onair.m3u8"),
        dash: format!("{http}/live/onair.mpd"),
        hls_ts: format!("{http}/live/onair/hls/ts.m3u8"),
        flv: format!("{http}/live/onair.flv"),
        whep: format!("{http}/live/onair/whep"),
        rtmp: format!("rtmp://{rtmp}:1935/live/onair"),
        srt: String::new(),
    };
    let network = |interface: &str, ip: &str| {
        let ip: std::net::IpAddr = ip.parse().unwrap();
        let (interface, is_public) = (interface.to_owned(), false);
        let (http, rtmp) = (reach.http && ip.is_ipv4(), reach.rtmp && ip.is_ipv4());
        NetworkAddress { interface, ip, is_public, http, rtmp }
    };
    let networks = [network("wlan0", "192.168.1.20"), network("wlan0", "fd00::20")];
    let viewers = [(Protocol::Rtmp, 1), (Protocol::Hls, 12), (Protocol::Whep, 31)];
    ServerFigures {
        webrtc_port: Some(8_189),
        links: Arc::new(links),
        networks: networks.into(),
        reach,
        viewers_by: viewers.into(),
        ..ServerFigures::default()
    }
}

fn device(id: &str, name: &str, default: bool) -> Device {
    Device { id: id.into(), name: name.into(), default }
}

fn screen(id: &str, x: u32, primary: bool) -> ScreenInfo {
    let width = if id == "all" { 3_840 } else { 1_920 };
    let area = Area::new(x, 0, width, 1_080);
    ScreenInfo { id: id.into(), name: id.into(), area, primary }
}

fn window(class: &str, name: &str) -> WindowInfo {
    WindowInfo {
        id: format!("{class}/{name}"),
        name: name.into(),
        class: class.into(),
        number: "0x1".into(),
        size: Size::new(1280, 800),
        shown: true,
    }
}

/// Three scenes, of which the second is in the preview.
pub fn prepare(snapshot: &mut Snapshot) {
    let scenes = &mut snapshot.scenes;
    scenes.collection = Arc::new(workshop());
    scenes.preview_scene = scenes.collection.scenes.get(1).map(|it| it.id);
    scenes.preview.publish(picture(12));
}

/// A scene with an image on a disk that is not connected, and the notice about it.
fn missing(snapshot: &mut Snapshot) {
    let mut collection = Collection::default();
    let scene = collection.current;
    let choice = VideoChoice::Image("/media/ada/logo.png".into());
    assert!(collection.apply(&Edit::AddSource { scene, name: "Logo".into(), choice }));
    snapshot.scenes.collection = Arc::new(collection);
    let reason = "/media/ada/logo.png cannot be opened: No such file or directory (os error 2)";
    snapshot.scenes.sources = vec![SceneSource {
        id: SourceId(1),
        state: SourceState::Failed,
        name: "logo.png".into(),
        size: None,
        frame_size: None,
        reason: reason.into(),
        playing: None,
        left_out: std::sync::Arc::default(),
        filter_problems: Vec::new(),
        device: String::new(),
    }];
    let remedy = Some(Remedy::EditSource(SourceId(1)));
    let level = Level::Warning;
    let problem = problem!("scene-source-failed", source = "Logo", reason = reason);
    snapshot.notices = vec![notice(1, problem, level, remedy)];
}

/// The result of a pre-flight check with a slow connection and no further problems.
pub fn checked() -> Checked {
    let found = [
        (
            problem!(
                "found-upload-narrow",
                host = "live.example.com",
                kbps = "1 900",
                wanted = "2 500"
            ),
            Level::Warning,
        ),
        (problem!("found-video", name = "HD Pro Webcam C920"), Level::Info),
        (problem!("found-audio", db = "−14"), Level::Info),
        (problem!("found-encoder", times = "13"), Level::Info),
        (problem!("found-disk", folder = "/home/ada/Videos", hours = "71"), Level::Info),
        (problem!("found-clock", time = "10:26:40"), Level::Info),
    ];
    let found = found.into_iter().zip(1..);
    let found = found.map(|((problem, level), id)| notice(id, problem, level, None)).collect();
    Checked { found, running: false }
}

fn notice(id: u64, problem: Problem, level: Level, remedy: Option<Remedy>) -> Notice {
    Notice {
        target: None,
        id,
        problem,
        level,
        detail: "VIDIOC_DQBUF: No such device (os error 19)".into(),
        file: None,
        remedies: remedy.into_iter().collect(),
        wall_micros: WALL_MICROS + i64::from(id as u32) * 47_000_000,
        times: 1,
    }
}

/// A studio in the state `name`.
pub fn snapshot(name: &str) -> Snapshot {
    let video = VideoSource {
        choice: VideoChoice::Camera(CameraChoice::of("c920")),
        state: SourceState::Open,
        name: "HD Pro Webcam C920".into(),
        format: Some((Size::new(1280, 720), 30.0)),
    };
    let audio = AudioSource {
        choice: AudioChoice::Mic(None),
        chosen: true,
        state: SourceState::Open,
        name: "Yeti Stereo Microphone".into(),
        gain_db: 3.0,
        muted: false,
        peak_dbfs: -14.2,
        channels_dbfs: Some([-14.2, -16.9]),
        held_dbfs: -9.8,
        rms_dbfs: -23.5,
        clipped: false,
        drift_ppm: Some(12.0),
    };
    let mut snapshot = Snapshot {
        cameras: vec![device("c920", "HD Pro Webcam C920", true)],
        microphones: vec![device("yeti", "Yeti Stereo Microphone", true)],
        video: Some(video),
        audio: Some(audio),
        targets: vec![TargetView::idle(Target::built_in())],
        server: ServerFigures {
            rtmp: "rtmp://127.0.0.1:1935".into(),
            http: "http://127.0.0.1:8088".into(),
            play_url: "rtmp://127.0.0.1:1935/live/onair".into(),
            page_url: "http://127.0.0.1:8088/watch/live/onair".into(),
            viewers_by: Default::default(),
            ..share(ServerReach::default())
        },
        loudness: Reading {
            peak_dbfs: -13.1,
            held_dbfs: -8.9,
            rms_dbfs: -21.0,
            channels_dbfs: Some([-13.1, -15.4]),
            momentary_lufs: Some(-16.4),
            short_term_lufs: Some(-16.1),
            integrated_lufs: Some(-16.3),
            true_peak_dbtp: -8.1,
            ..Reading::default()
        },
        watch_figures: WatchFigures { volume: 0.8, ..WatchFigures::default() },
        recent: vec![
            "rtmp://live.example.com/app/main-hall".into(),
            "/home/ada/Videos/holiday.mkv".into(),
        ],
        speakers: vec![device("hdmi", "HDMI Audio", true)],
        screens: [screen("DP-1", 0, true), screen("HDMI-1", 1920, false), screen("all", 0, false)]
            .into(),
        windows: [window("Firefox", "News — Mozilla Firefox"), window("Editor", "notes.txt")]
            .into(),
        draw_time: Some(Duration::from_micros(2_130)),
        cpu: 0.21,
        rss_bytes: 118_000_000,
        disk: Some(DiskSpace {
            folder: recordings::FOLDER.into(),
            free: 48_500_000_000,
            left: Duration::from_secs(41 * 3_600),
        }),
        encoders: onair::encode::known_encoders(),
        ..Snapshot::default()
    };
    let figures = LiveFigures {
        encoded: 22_600,
        on_air_for: Duration::from_secs(754),
        fps: 30.0,
        fps_pending: false,
        wanted_fps: 30.0,
        bitrate: 2_512_000,
        bitrate_history: (0..600).map(|i| 2_500_000 + (i * 7919 % 13) * 18_000).collect(),
        encode_time: Some(Duration::from_micros(4_020)),
        frame_times: (0..600).map(|i| 5.8 + (i * 7919 % 13) as f32 * 0.06).collect(),
        skipped_frames: 0,
        dropped_frames: 0,
        lost_frames: 0,
        dropped_audio: 0,
        total_frames: 22_620,
        queued: Duration::from_millis(3),
        round_trip: Some(Duration::from_micros(400)),
        loss: None,
        reconnects: 0,
        sent_bytes: 246_000_000,
    };
    let recording = RecordingFigures {
        path: "/home/ada/Videos/onair 2026-11-20 09-12-00.flv".into(),
        duration: Duration::from_secs(750),
        bytes: 246_000_000,
        paused: false,
        chapters: 0,
    };
    let counted = Figures {
        size: Some(Size::new(1280, 720)),
        video: "H.264 High".into(),
        audio: "AAC-LC 48 kHz stereo".into(),
        fps: 30.0,
        bitrate: 2_498_000,
        buffer: Duration::from_millis(304),
        latency_ms: Some(380.0),
        av_offset_ms: Some(4.0),
        jitter: Some(Duration::from_millis(4)),
        first_frame: Some(Duration::from_millis(41)),
        playing_for: Duration::from_secs(128),
        speed: 1.0,
        ..Figures::default()
    };
    let url = "rtmp://127.0.0.1:1935/live/onair".into();
    let playing = WatchFigures { url, live: true, volume: 0.8, muted: false, counted };
    match name {
        "idle" | "watch-idle" => {}
        "custom" => {
            let own = Target {
                remember_key: true,
                ..Target::custom(1, "rtmp://live.example.com/app", "live_1234567890_abcdef".into())
            };
            if let Some(built_in) = snapshot.targets.first_mut() {
                built_in.target.enabled = false;
            }
            snapshot.targets.push(TargetView::idle(own));
        }
        "delayed" => {
            snapshot.live = LiveState::OnAir;
            snapshot.figures = figures;
            snapshot.delay = Duration::from_secs(300);
            snapshot.held = Some(DelayFigures {
                state: DelayState::On,
                delay: Duration::from_secs(300),
                held: Duration::from_secs(300),
                begins_in: None,
                memory_bytes: 64 << 20,
                disk_bytes: 30 << 20,
            });
        }
        "film" => {
            snapshot.live = LiveState::OnAir;
            snapshot.figures = figures;
            snapshot.passthrough = Some(PassthroughView {
                path: "/home/ada/Videos/harbour tour.mp4".into(),
                again: true,
                opening: false,
                position: Duration::from_secs(72),
                duration: Some(Duration::from_secs(1_830)),
                rounds: 1,
            });
        }
        "targets" => {
            snapshot.live = LiveState::OnAir;
            snapshot.figures = figures;
            let view = |target, state, bitrate, cause: Option<Problem>| TargetView {
                state: Some(state),
                bitrate,
                cause,
                ..TargetView::idle(target)
            };
            let twitch = Target {
                service: "twitch".into(),
                ..Target::custom(
                    1,
                    "rtmps://ingest.global-contribute.live-video.net:443/app",
                    "k".into(),
                )
            };
            let own = Target::custom(2, "rtmp://media.school.example/live", "k".into());
            let backup = Target {
                enabled: false,
                ..Target::custom(3, "rtmp://backup.example/live", "k".into())
            };
            snapshot.targets = vec![
                view(Target::built_in(), TargetState::Live, 2_512_000, None),
                view(twitch, TargetState::Live, 2_508_000, None),
                TargetView {
                    retry_in: Some(Duration::from_millis(2_300)),
                    tries: 3,
                    ..view(
                        own,
                        TargetState::Reconnecting,
                        0,
                        Some(problem!("net-connection-refused")),
                    )
                },
                TargetView::idle(backup),
            ];
        }
        "black" => {
            snapshot.live = LiveState::OnAir;
            snapshot.figures = figures;
            let seen = Latest::default();
            seen.publish(picture(0));
            let monitor = |state, latency| MonitorView {
                host: "media.school.example".to_owned(),
                state,
                cause: String::new().into(),
                latency,
                latency_by: None,
                av_offset_ms: None,
                size: Some(Size::new(1280, 720)),
                fps: Some(30.0),
                bitrate: 2_500_000,
                frame: ViewerFrame(seen.clone()),
            };
            let live = |target, monitor| TargetView {
                state: Some(TargetState::Live),
                bitrate: 2_512_000,
                monitored: true,
                monitor: Some(monitor),
                ..TargetView::idle(target)
            };
            let own = Target::custom(1, "rtmp://media.school.example/live", "k".into());
            snapshot.targets = vec![
                live(Target::built_in(), monitor("ok", Some(Duration::from_millis(1_200)))),
                live(own, monitor("black", Some(Duration::from_millis(2_100)))),
            ];
        }
        "connecting" => snapshot.live = LiveState::Connecting { stage: "handshake" },
        "on-air" => {
            snapshot.live = LiveState::OnAir;
            snapshot.figures = figures;
        }
        "shared" => {
            snapshot.live = LiveState::OnAir;
            snapshot.figures = figures;
            let share = share(ServerReach { http: true, rtmp: false, ..ServerReach::default() });
            snapshot.server.viewers = share.viewers_by.values().sum();
            let server = &mut snapshot.server;
            (server.reach, server.links) = (share.reach, share.links);
            (server.networks, server.viewers_by) = (share.networks, share.viewers_by);
            server.chat = Some(own_chat());
        }
        "server-off" => snapshot.server = ServerFigures::default(),
        "on-air-recording" => {
            snapshot.live = LiveState::OnAir;
            snapshot.figures = figures;
            snapshot.recording = Some(recording);
        }
        "slow" => {
            snapshot.live = LiveState::OnAir;
            snapshot.figures = LiveFigures {
                bitrate: 1_310_000,
                bitrate_history: (0..60).map(|i| 2_500_000 - i * 21_000).collect(),
                dropped_frames: 904,
                queued: Duration::from_millis(1840),
                round_trip: Some(Duration::from_millis(212)),
                reconnects: 2,
                fps: 24.3,
                ..figures
            };
        }
        "reconnecting" => {
            let (retry_in, cause) = (Duration::from_millis(1900), problem!("net-cut"));
            snapshot.live = LiveState::Reconnecting { retry_in, cause: cause.clone() };
            let mut bitrate_history = figures.bitrate_history.clone();
            bitrate_history.iter_mut().rev().take(9).for_each(|rate| *rate = 0);
            snapshot.figures = LiveFigures {
                bitrate: 0,
                bitrate_history,
                queued: Duration::ZERO,
                round_trip: None,
                reconnects: 1,
                ..figures
            };
            let length = Duration::from_secs(30);
            snapshot.replay = Some(ReplayFigures { filled: length, room: length });
            snapshot.server.viewers = 0;
            snapshot.recording = Some(recording);
            snapshot.targets[0].target.enabled = false;
            let own = Target::custom(1, "rtmp://media.school.example/live", "k".into());
            snapshot.targets.push(TargetView {
                state: Some(TargetState::Reconnecting),
                cause: Some(cause),
                retry_in: Some(retry_in),
                tries: 3,
                ..TargetView::idle(own)
            });
        }
        "stopping" => {
            snapshot.live = LiveState::Stopping;
            snapshot.figures = figures;
        }
        "recording" => {
            let LiveFigures { encoded, fps, wanted_fps, .. } = figures;
            snapshot.figures = LiveFigures { encoded, fps, wanted_fps, ..LiveFigures::default() };
            snapshot.recording = Some(recording);
        }
        "notices" => {
            snapshot.notices = vec![
                notice(
                    1,
                    problem!("microphone-lost", device = "Yeti Stereo Microphone"),
                    Level::Warning,
                    Some(Remedy::RefreshDevices),
                ),
                notice(
                    2,
                    problem!(
                        "target-refused",
                        host = "live.example.com",
                        cause = problem!("net-refused-unauthorized"),
                        next = problem!("next-given-up"),
                    ),
                    Level::Error,
                    Some(Remedy::EditTarget(1)),
                ),
                notice(
                    3,
                    problem!("port-taken", wanted = "1935", used = "1936"),
                    Level::Info,
                    None,
                ),
                notice(
                    4,
                    problem!("camera-lost", device = "HD Pro Webcam C920"),
                    Level::Error,
                    Some(Remedy::UseTestSource),
                ),
            ];
            snapshot.server.rtmp = "rtmp://127.0.0.1:1936".into();
            snapshot.server.play_url = "rtmp://127.0.0.1:1936/live/onair".into();
            snapshot.video.as_mut().unwrap().state = SourceState::Lost;
            let audio = snapshot.audio.as_mut().unwrap();
            audio.state = SourceState::Lost;
            (audio.peak_dbfs, audio.held_dbfs, audio.rms_dbfs) = (-60.0, -60.0, -60.0);
            audio.channels_dbfs = None;
            snapshot.loudness = Reading::default();
            let key = Target::custom(1, "rtmp://live.example.com/app", "k".into());
            snapshot.targets.push(TargetView::idle(Target { enabled: false, ..key }));
            snapshot.notices[1].remedies = vec![Remedy::EditKey(1), Remedy::SwitchOff(1)];
            snapshot.notices[1].times = 4;
            let over = notice(0, problem!("audio-silent", device = "Yeti"), Level::Warning, None);
            let over_micros = WALL_MICROS + 6_000_000;
            snapshot.past_notices = vec![PastNotice { notice: over, over_micros }];
        }
        "no-camera" => {
            snapshot.cameras.clear();
            snapshot.microphones.clear();
            snapshot.video.as_mut().unwrap().choice = VideoChoice::Test;
            let audio = snapshot.audio.as_mut().unwrap();
            audio.choice = AudioChoice::Tone;
            audio.drift_ppm = None;
        }
        "first-run" => {
            snapshot.cameras.clear();
            snapshot.microphones.clear();
            snapshot.video = None;
            snapshot.audio = None;
            snapshot.loudness = Reading::default();
        }
        "opening" => snapshot.video.as_mut().unwrap().state = SourceState::Opening,
        "lost" => {
            snapshot.live = LiveState::OnAir;
            snapshot.figures = figures;
            snapshot.cameras.clear();
            let video = snapshot.video.as_mut().unwrap();
            video.state = SourceState::Failed;
            video.format = None;
        }
        "guests" => {
            snapshot.strips = strips();
            snapshot.guests = super::guests::four();
            snapshot.guest_traffic = Some(super::guests::traffic(false));
            snapshot.canvas.enabled = true;
            snapshot.canvas_shown = true;
        }
        "mixer" => {
            snapshot.strips = strips();
            let lost = problem!("microphone-lost", device = "Yeti Stereo Microphone");
            snapshot.notices = vec![notice(1, lost, Level::Warning, None)];
            snapshot.applications = vec!["Firefox".into()];
            snapshot.scenes.can_undo = true;
            snapshot.track_names = ["", "Voice", "Music", "", "", ""].map(str::to_owned);
        }
        "mixer-clipped" => {
            snapshot.strips = strips();
            snapshot.strips[1].meter.clipped = true;
            snapshot.loudness = Reading { peak_dbfs: -0.4, clipped: true, ..Reading::default() };
        }
        "filters" => snapshot.scenes.collection = Arc::new(filtered()),
        "properties" => snapshot.scenes.collection = Arc::new(styled()),
        "scenes" => {
            snapshot.live = LiveState::OnAir;
            snapshot.figures = figures;
            snapshot.strips = strips();
            prepare(&mut snapshot);
        }
        "building" => {
            snapshot.scenes.collection = Arc::new(built());
            snapshot.scenes.sources = vec![banner_source()];
        }
        "missing" => missing(&mut snapshot),
        "ended" => {
            snapshot.last_broadcast = Some(recordings::summary());
        }
        "recordings" => {
            snapshot.recordings = recordings::recordings();
            snapshot.preferences.recording_folder = recordings::FOLDER.into();
        }
        "camera" => {
            snapshot.scenes.sources = vec![camera_source()];
            let controls = Arc::new(camera_controls());
            snapshot.scenes.controls = [("c920".to_owned(), controls)].into();
            let formats = Arc::new(camera_formats());
            snapshot.scenes.formats = [("c920".to_owned(), formats)].into();
        }
        "media" => {
            snapshot.scenes.collection = Arc::new(played());
            snapshot.scenes.sources = playing_sources();
        }
        "clipped" => {
            let audio = snapshot.audio.as_mut().unwrap();
            (audio.peak_dbfs, audio.held_dbfs, audio.clipped) = (-1.2, 0.0, true);
            audio.gain_db = 14.5;
        }
        "watching" => {
            snapshot.watch = WatchState::Playing;
            snapshot.watch_figures = playing;
        }
        "watch-opening" => {
            snapshot.watch = WatchState::Opening { stage: None };
            snapshot.watch_figures.url = playing.url;
        }
        "watch-reconnecting" => {
            snapshot.watch =
                WatchState::Reconnecting { cause: "the server closed the connection".into() };
            snapshot.watch_figures = playing;
        }
        "watch-ended" => {
            snapshot.watch = WatchState::Ended;
            snapshot.watch_figures.url = playing.url;
        }
        "watch-failed" => {
            snapshot.watch = WatchState::Failed {
                cause: "The server knows no stream of this name.".into(),
                kind: FailureKind::NoSuchStream,
            };
            snapshot.watch_figures.url = "rtmp://live.example.com/app/nobody".into();
        }
        "watch-behind" | "watch-paused" => {
            snapshot.watch = WatchState::Playing;
            let time_shift = Some(TimeShiftState {
                range: Duration::from_secs(97),
                behind: Duration::from_secs(12),
                bytes: 31_000_000,
            });
            let saving = Saving {
                path: "/home/ada/Videos/onair watched 2026-11-20 09-12-00.flv".into(),
                bytes: 12_400_000,
                time: Duration::from_secs(41),
            };
            let paused = name == "watch-paused";
            let saving = Some(saving).filter(|_| !paused);
            let counted = Figures { time_shift, paused, saving, ..playing.counted };
            snapshot.watch_figures = WatchFigures { counted, ..playing };
        }
        "watch-file" => {
            snapshot.watch = WatchState::Playing;
            snapshot.watch_figures = WatchFigures {
                url: "/home/ada/Videos/onair 2026-11-20 09-12-00.flv".into(),
                live: false,
                counted: Figures {
                    position: Duration::from_secs(42),
                    duration: Some(Duration::from_secs(190)),
                    latency_ms: None,
                    ..playing.counted
                },
                ..playing
            };
        }
        "watch-wall" => snapshot.tiles = wall(&playing),
        "watch-chat" => {
            snapshot.watch = WatchState::Playing;
            snapshot.watch_figures = playing;
            snapshot.chat = chat();
        }
        other => unreachable!("no state {other}"),
    }
    if snapshot.tiles.is_empty() && page_of(name) == Page::Watch {
        snapshot.tiles = vec![tile(0, snapshot.watch.clone(), snapshot.watch_figures.clone())];
    } else if let Some(chosen) = snapshot.tiles.iter().find(|tile| tile.chosen) {
        (snapshot.watch, snapshot.watch_figures) = (chosen.state.clone(), chosen.figures.clone());
    }
    if snapshot.live != LiveState::Idle || snapshot.recording.is_some() {
        snapshot.encoder = Some(EncoderView { name: "openh264", profile: "High" });
    }
    let server = &mut snapshot.server;
    if snapshot.live == LiveState::OnAir && !server.rtmp.is_empty() && server.viewers == 0 {
        server.viewers = 2;
        server.viewers_by = [(Protocol::Rtmp, 1), (Protocol::Whep, 1)].into();
        server.chat.get_or_insert_with(own_chat);
    }
    if snapshot.live == LiveState::OnAir && snapshot.passthrough.is_none() {
        // Enabled targets for which the state sets nothing else are live.
        for entry in
            snapshot.targets.iter_mut().filter(|it| it.target.enabled && it.state.is_none())
        {
            (entry.state, entry.bitrate) = (Some(TargetState::Live), snapshot.figures.bitrate);
        }
    }
    snapshot
}
