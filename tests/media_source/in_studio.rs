//! Tests of files and streams as sources in the scenes and strips of a studio.

use super::*;

/// Starts a studio with one silent strip and no video.
fn studio() -> Studio {
    studio_with(VideoChoice::None)
}

fn settings(video: VideoChoice) -> Settings {
    Settings {
        video: Some(video),
        audio: Some(AudioChoice::Silence),
        quality: Quality { size: Size::new(320, 180), ..Quality::default() },
        ..Settings::default()
    }
}

fn studio_with(video: VideoChoice) -> Studio {
    let studio = Studio::start(studio::Config::new(Clock::start(), settings(video))).unwrap();
    wait_for("the strips", LIMIT, || studio.snapshot().strips.len() == 1);
    studio
}

#[test]
fn a_strip_reports_whether_its_own_push_to_talk_key_is_pressed() {
    let studio = studio();
    studio.send(Command::AddStrip(AudioChoice::Tone));
    wait_for("both strips", LIMIT, || studio.snapshot().strips.len() == 2);
    let strips = || studio.snapshot().strips;
    let id = strips()[1].audio.id;
    studio.send(Command::SetTalk { id, talk: TalkMode::PushToTalk });
    wait_for("it waits for its key", LIMIT, || strips()[1].audio.talk == TalkMode::PushToTalk);
    let held = || strips().iter().map(|strip| strip.held).collect::<Vec<_>>();
    assert_eq!(held(), [false, false]);
    studio.send(Command::TalkKeyOf { id, held: true });
    wait_for("its own key", LIMIT, || held() == [false, true]);
    wait_for("its tone", LIMIT, || strips()[1].meter.peak_dbfs > -60.0);
    studio.send(Command::TalkKeyOf { id, held: false });
    wait_for("no key", LIMIT, || held() == [false, false]);
    studio.send(Command::PushToTalkKeys(true));
    wait_for("the key of all", LIMIT, || held() == [true, true]);
    studio.end(LIMIT).unwrap();
}

#[test]
fn a_strip_plays_its_file_once_if_it_is_to_and_again_when_asked() {
    peers::in_real_time!(a_strip_plays_its_file_once_if_it_is_to_and_again_when_asked);
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    // The mixer itself reads the WAV file, and a player reads the other file.
    for name in ["jingle.wav", "jingle.mka"] {
        let path = folder.path().join(name);
        let tone = ["-f", "lavfi", "-i", "sine=frequency=440:sample_rate=48000", "-t", "1"];
        let codec = if name.ends_with("wav") { "pcm_s16le" } else { "aac" };
        let words = [&tone[..], &["-c:a", codec, path.to_str().unwrap()]].concat();
        Peer::start("ffmpeg", [&["-hide_banner", "-nostdin", "-v", "error"][..], &words].concat())
            .wait_success(LIMIT);
        let studio = studio();
        studio.send(Command::AddStrip(AudioChoice::File(path)));
        wait_for("the strip", LIMIT, || studio.snapshot().strips.len() == 2);
        let strip = || studio.snapshot().strips.remove(1);
        let id = strip().audio.id;
        let is_audible = || strip().meter.rms_dbfs > -30.0;
        let silent = || strip().meter.rms_dbfs <= -60.0;
        // The file loops: its tone is audible for longer than the file lasts.
        wait_for("its sound", LIMIT, is_audible);
        let clock = Clock::start();
        while clock.now() < Timestamp::from_millis(2_500) {
            assert!(!silent(), "{name} does not go round");
            Stop::new().wait(Duration::from_millis(20));
        }
        studio.send(Command::SetStripEnd { id, at_end: EndBehavior::Clear });
        wait_for("its end", LIMIT, silent);
        let stays = Clock::start();
        while stays.now() < Timestamp::from_millis(1_500) {
            assert!(!is_audible(), "{name} goes round");
            Stop::new().wait(Duration::from_millis(20));
        }
        studio.send(Command::RestartStrip(id));
        wait_for("it once more", LIMIT, is_audible);
        wait_for("its end again", LIMIT, silent);
        studio.send(Command::SetStripEnd { id, at_end: EndBehavior::Loop });
        wait_for("its beginning", LIMIT, is_audible);
        assert_eq!(strip().audio.at_end, EndBehavior::Loop);
        studio.end(LIMIT).unwrap();
    }
}

fn add(studio: &Studio, name: &str, path: &Path) {
    let scene = studio.snapshot().scenes.collection.current;
    let choice = VideoChoice::File(path.to_owned());
    studio.send(Command::Edit(Edit::AddSource { scene, name: name.into(), choice }));
}

#[test]
fn a_clip_that_is_added_to_a_scene_is_audible_on_its_own_strip() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let tone = "sine=frequency=1000:sample_rate=48000,volume=6";
    let path = folder.path().join("clip.mkv");
    numbered(&path, "3", tone, &["-c:a", "flac"]);
    added_to_a_scene(path);
    // Without a scene, the mixer itself would read a WAV file.
    let path = folder.path().join("clip.wav");
    let words = ["-hide_banner", "-nostdin", "-v", "error", "-f", "lavfi", "-i", tone, "-t", "3"];
    let words = [&words[..], &["-c:a", "pcm_s16le", path.to_str().unwrap()]].concat();
    Peer::start("ffmpeg", words).wait_success(LIMIT);
    added_to_a_scene(path);
}

/// Adds a clip of 3 s with a tone to a scene, and checks its strip.
fn added_to_a_scene(path: PathBuf) {
    let studio = studio();
    add(&studio, "Opening", &path);
    let strips = || studio.snapshot().strips;
    let ids = || strips().iter().map(|strip| strip.audio.id).collect::<Vec<_>>();
    wait_for("the strip", LIMIT, || strips().len() == 2);
    let strip = strips().pop().unwrap();
    assert_eq!(
        (strip.audio.name.as_str(), &strip.audio.choice),
        ("Opening", &AudioChoice::File(path))
    );
    // The audio arrives in the strip and in the program.
    wait_for("its sound", LIMIT, || strips()[1].meter.peak_dbfs > -30.0);
    wait_for("the program's", LIMIT, || {
        studio.snapshot().loudness.momentary_lufs.is_some_and(|loud| loud > -30.0)
    });
    // Video and audio come from the same player: a pause stops both.
    let source = studio.snapshot().scenes.collection.sources[0].id;
    studio.send(Command::Media(source, TransportCommand::Pause));
    wait_for("silence", LIMIT, || strips()[1].meter.peak_dbfs <= -60.0);
    studio.send(Command::Media(source, TransportCommand::Resume));
    wait_for("its sound again", LIMIT, || strips()[1].meter.peak_dbfs > -30.0);

    // By default, viewers do not hear a source that is not visible.
    studio.send(Command::Edit(Edit::AddScene("Talk".into())));
    wait_for("the other scene", LIMIT, || studio.snapshot().scenes.collection.scenes.len() == 2);
    let collection = studio.snapshot().scenes.collection;
    let (first, other) = (collection.scenes[0].id, collection.scenes[1].id);
    studio.send(Command::SwitchScene(other));
    wait_for("silence elsewhere", LIMIT, || strips()[1].meter.peak_dbfs <= -60.0);
    studio.send(Command::SetTalk { id: strip.audio.id, talk: TalkMode::Open });
    wait_for("sound without its picture", LIMIT, || strips()[1].meter.peak_dbfs > -30.0);
    studio.send(Command::SetTalk { id: strip.audio.id, talk: TalkMode::WhileShown });
    studio.send(Command::SwitchScene(first));
    wait_for("its sound with its picture", LIMIT, || {
        strips()[1].shown && strips()[1].meter.peak_dbfs > -30.0
    });

    // A clip that plays once begins again whenever it is shown again.
    let once = Properties {
        at_end: EndBehavior::Clear,
        hidden: WhenHidden::Restarts,
        ..Properties::default()
    };
    studio.send(Command::Edit(Edit::SetProperties(source, once)));
    wait_for("its end", LIMIT, || strips()[1].meter.peak_dbfs <= -60.0);
    studio.send(Command::SwitchScene(other));
    wait_for("the scene without it", LIMIT, || !strips()[1].shown);
    studio.send(Command::SwitchScene(first));
    wait_for("its beginning", LIMIT, || strips()[1].meter.peak_dbfs > -30.0);
    studio.send(Command::Edit(Edit::SetProperties(source, Properties::default())));

    // A second use of the source adds no strip. Removing the last use removes the strip, and undo
    // restores it.
    let scene = studio.snapshot().scenes.collection.current;
    studio.send(Command::Edit(Edit::ShowSource { scene, source }));
    let items = || -> Vec<_> {
        let collection = studio.snapshot().scenes.collection;
        let shown = collection.current().unwrap().items.clone();
        let of = |item: &&onair::compose::scene::Item| item.content == Content::Source(source);
        shown.iter().filter(of).map(|item| item.id).collect()
    };
    wait_for("the other use", LIMIT, || items().len() == 2);
    let before = ids();
    assert_eq!(before.len(), 2);
    let all = items();
    studio.send(Command::Edit(Edit::RemoveItem(all[0])));
    wait_for("one use", LIMIT, || items().len() == 1);
    assert_eq!(ids(), before);
    studio.send(Command::Edit(Edit::RemoveItem(all[1])));
    wait_for("no strip", LIMIT, || strips().len() == 1);
    studio.send(Command::Undo);
    wait_for("the strip again", LIMIT, || ids() == before && items().len() == 1);
    wait_for("its sound after that", LIMIT, || strips()[1].meter.peak_dbfs > -30.0);
    studio.send(Command::Media(source, TransportCommand::Pause));
    wait_for("silence after that", LIMIT, || strips()[1].meter.peak_dbfs <= -60.0);
    assert_eq!(studio.snapshot().notices, []);
    studio.end(LIMIT).unwrap();
}

#[test]
fn a_wav_file_that_already_plays_follows_the_scene_that_shows_it() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.wav");
    let tone = "sine=frequency=1000:sample_rate=48000,volume=6";
    let words = ["-hide_banner", "-nostdin", "-v", "error", "-f", "lavfi", "-i", tone, "-t", "3"];
    let words = [&words[..], &["-c:a", "pcm_s16le", path.to_str().unwrap()]].concat();
    Peer::start("ffmpeg", words).wait_success(LIMIT);
    let file = || AudioChoice::File(path.clone());
    for (command, place) in [(Command::AddStrip(file()), 1), (Command::SelectAudio(file()), 0)] {
        let studio = studio();
        let peak =
            || studio.snapshot().strips.get(place).map_or(-100.0, |strip| strip.meter.peak_dbfs);
        studio.send(command);
        wait_for("its audio", LIMIT, || peak() > -30.0);
        add(&studio, "Opening", &path);
        wait_for("the source", LIMIT, || !studio.snapshot().scenes.collection.sources.is_empty());
        let source = studio.snapshot().scenes.collection.sources[0].id;
        studio.send(Command::Media(source, TransportCommand::Pause));
        wait_for("silence", LIMIT, || peak() <= -60.0);
        studio.send(Command::Media(source, TransportCommand::Resume));
        wait_for("its audio again", LIMIT, || peak() > -30.0);
        assert_eq!(studio.snapshot().strips.len(), place + 1);
        assert_eq!(studio.snapshot().notices, []);
        studio.end(LIMIT).unwrap();
    }
}

#[test]
fn a_clip_without_audio_has_a_strip_that_says_so_and_no_failure_is_reported() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("mute.mp4");
    numbered(&path, "3", "anullsrc", &["-an"]);
    let studio = studio();
    add(&studio, "Mute", &path);
    wait_for("a word", LIMIT, || studio.snapshot().strips.get(1).is_some_and(|it| it.has_no_audio));
    // A file that cannot be played causes one notice about the source, and none about its strip.
    let bad = folder.path().join("bad.mp4");
    std::fs::write(&bad, b"no clip at all, but long enough to be looked at").unwrap();
    assert_eq!(studio.snapshot().notices, []);
    add(&studio, "Bad", &bad);
    wait_for("the failure", LIMIT, || {
        studio.snapshot().strips.get(2).is_some_and(|it| it.state == SourceState::Failed)
    });
    wait_for("its notice", LIMIT, || !studio.snapshot().notices.is_empty());
    let notices = studio.snapshot().notices;
    let keys: Vec<&str> = notices.iter().map(|notice| notice.key()).collect();
    assert_eq!(keys, ["scene-source-failed"], "{notices:?}");
    studio.end(LIMIT).unwrap();
}

/// Only FFmpeg decodes VP9.
#[cfg(feature = "ffmpeg")]
#[test]
fn webm_is_played_with_video_and_audio() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    for (name, picture, sound) in
        [("new.webm", "libvpx-vp9", "libopus"), ("old.webm", "libvpx", "libvorbis")]
    {
        let path = folder.path().join(name);
        let tone = "aevalsrc='0.5*sin(2*PI*1000*t)':s=48000:c=mono";
        let mut words = vec!["-hide_banner", "-nostdin", "-v", "error", "-y", "-f", "lavfi", "-i"];
        words.extend([NUMBERED, "-f", "lavfi", "-i", tone, "-t", "2", "-pix_fmt", "yuv420p"]);
        words.extend(["-c:v", picture, "-deadline", "realtime", "-b:v", "1M", "-c:a", sound]);
        words.push(path.to_str().unwrap());
        Peer::start("ffmpeg", words).wait_success(LIMIT);
        let (mut pulled, _runtime) = Pulled::open(&path, EndBehavior::Loop);
        pulled.until("its pictures", |it| it.shown.len() > 20);
        assert!(pulled.shown.windows(2).all(|pair| pair[0] < pair[1]), "{:?}", pulled.shown);
        pulled.until("the tone", |it| {
            let last = it.samples.len().saturating_sub(4_800);
            let (mut sine, mut cosine) = (0.0, 0.0);
            for (number, sample) in it.samples[last..].iter().enumerate() {
                let phase = number as f64 / 48.0 * std::f64::consts::TAU;
                sine += f64::from(*sample) * phase.sin();
                cosine += f64::from(*sample) * phase.cos();
            }
            (sine.hypot(cosine) / 2_400.0 - 0.5).abs() < 0.05
        });
    }
}

#[test]
fn a_clip_of_a_scene_is_played_once_and_is_silent_then() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mkv");
    numbered(&path, "2", "sine=frequency=1000:sample_rate=48000,volume=6", &["-c:a", "flac"]);
    let studio = studio();
    add(&studio, "Clip", &path);
    wait_for("its strip", LIMIT, || studio.snapshot().strips.len() == 2);
    let id = studio.snapshot().scenes.collection.sources[0].id;
    let playing = || studio.snapshot().scenes.source(id).and_then(|it| it.playing);
    let peak = || studio.snapshot().strips[1].meter.peak_dbfs;
    wait_for("its sound", LIMIT, || peak() > -30.0);
    studio.send(Command::AtEnd(id, EndBehavior::Clear));
    wait_for("its end", LIMIT, || playing().is_some_and(|it| it.paused) && peak() <= -60.0);
    let snapshot = studio.snapshot();
    assert_eq!(snapshot.scenes.collection.sources[0].properties.at_end, EndBehavior::Clear);
    let source = snapshot.scenes.source(id).unwrap();
    assert!(source.state == SourceState::Open && source.reason.is_empty());
    // The media controls play it once more.
    studio.send(Command::Media(id, TransportCommand::Resume));
    wait_for("its sound once more", LIMIT, || {
        playing().is_some_and(|it| !it.paused) && peak() > -30.0
    });
    wait_for("its end", LIMIT, || playing().is_some_and(|it| it.paused) && peak() <= -60.0);
}

#[test]
fn a_black_stream_is_reported_until_something_is_seen_and_a_black_clip_is_not() {
    crate::peers::in_real_time!(
        a_black_stream_is_reported_until_something_is_seen_and_a_black_clip_is_not
    );
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let clip = folder.path().join("black.mkv");
    let black = "color=black:s=320x192:r=15:d=2";
    let quiet = ["-hide_banner", "-nostdin", "-v", "error"];
    let words = [&quiet[..], &["-f", "lavfi", "-i", black, "-c:v", "libx264"]].concat();
    Peer::start("ffmpeg", words.into_iter().chain([clip.to_str().unwrap()])).wait_success(LIMIT);
    let mut server = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let ready = server.wait_named("ready");
    let url = format!("{}/live/guest", ready["rtmp"].as_str().unwrap().trim_end_matches('/'));
    let send = |picture: &str| {
        let mut words = [&quiet[..], &["-re", "-f", "lavfi", "-i", picture]].concat();
        words.extend(["-c:v", "libx264", "-preset", "ultrafast", "-g", "15"]);
        words.extend(["-pix_fmt", "yuv420p", "-f", "flv", &url]);
        Peer::start("ffmpeg", words)
    };
    let guest = send("color=black:s=320x192:r=15");

    // In a studio without video, onair does not check sources, so this one has the test pattern.
    let studio = studio_with(VideoChoice::Test);
    add(&studio, "Clip", &clip);
    let scene = studio.snapshot().scenes.collection.current;
    let choice = VideoChoice::Stream(url.clone());
    studio.send(Command::Edit(Edit::AddSource { scene, name: "Guest".into(), choice }));
    let reported = || -> Vec<(&'static str, String)> {
        let notices = studio.snapshot().notices;
        notices.iter().map(|it| (it.key(), it.summary())).collect()
    };
    let black = |it: &(&str, String)| it.0 == "stream-black";
    wait_for("the notice", LIMIT, || reported().iter().any(black));
    let notices = reported();
    assert!(notices.iter().filter(|it| black(it)).all(|it| it.1.contains("Guest")), "{notices:?}");
    // Another publisher sends visible video.
    drop(guest);
    let guest = send("testsrc2=s=320x192:r=15");
    let open = || {
        let scenes = studio.snapshot().scenes;
        let id = scenes.collection.sources[1].id;
        scenes.source(id).is_some_and(|it| it.state == SourceState::Open)
    };
    wait_for("a picture", LIMIT, || open() && !reported().iter().any(black));
    let notices = reported();
    assert!(!notices.iter().any(|it| it.1.contains("Clip")), "{notices:?}");
    drop(guest);
}

/// Makes a file with two seconds of one gray and one tone.
fn gray_clip(folder: &Path, name: &str, gray: &str, size: &str, hz: u32) -> std::path::PathBuf {
    let path = folder.join(name);
    let picture = format!("color=c={gray}:s={size}:r=15:d=2");
    let tone = format!("sine=frequency={hz}:sample_rate=48000:duration=2,volume=6");
    let mut words = vec!["-hide_banner", "-nostdin", "-v", "error", "-f", "lavfi"];
    words.extend(["-i", &picture, "-f", "lavfi", "-i", &tone, "-c:v", "libx264"]);
    words.extend(["-pix_fmt", "yuv420p", "-c:a", "aac", "-shortest", path.to_str().unwrap()]);
    Peer::start("ffmpeg", words).wait_success(LIMIT);
    path
}

/// Returns the luma in the middle of the program.
fn middle(studio: &Studio) -> u8 {
    middle_of(&studio.program())
}

fn middle_of(slot: &Latest<VideoFrame>) -> u8 {
    let Some(frame) = slot.get() else { return 0 };
    let (width, size) = (frame.planes().luma_stride(), frame.size());
    frame.planes().y[size.height as usize / 2 * width + size.width as usize / 2]
}

#[test]
fn files_of_a_list_follow_each_other_and_end_together() {
    crate::peers::in_real_time!(files_of_a_list_follow_each_other_and_end_together);
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let clip = |name, gray, size, hz| gray_clip(folder.path(), name, gray, size, hz);
    let first = clip("first.mp4", "0x404040", "320x180", 440);
    let second = clip("second.mkv", "0xa0a0a0", "640x360", 1_000);
    let studio = studio();
    add(&studio, "Clips", &first);
    wait_for("its strip", LIMIT, || studio.snapshot().strips.len() == 2);
    let id = studio.snapshot().scenes.collection.sources[0].id;
    studio.send(Command::Edit(Edit::AddFile(id, folder.path().join("absent.mp4"))));
    studio.send(Command::Edit(Edit::AddFile(id, second)));
    let playing = || studio.snapshot().scenes.source(id).and_then(|it| it.playing);
    let is = |index: usize| playing().is_some_and(|it| it.item == Some((index, 3)) && !it.paused);
    let luma = || middle(&studio);
    let peak = || studio.snapshot().strips[1].meter.peak_dbfs;
    // The list loops twice, with the audio of each file. One file in the list is missing.
    for _ in 0..2 {
        wait_for("the first", LIMIT, || is(0) && (55..85).contains(&luma()) && peak() > -30.0);
        // onair reports the missing file, and the source continues.
        let fails = || {
            let source = studio.snapshot().scenes.source(id).cloned().unwrap();
            assert!(!matches!(source.state, SourceState::Failed | SourceState::Lost), "{source:?}");
            source.file_problem(&folder.path().join("absent.mp4")).is_some()
        };
        wait_for("one that fails", LIMIT, fails);
        wait_for("the second", LIMIT, || is(2) && (140..170).contains(&luma()) && peak() > -30.0);
    }
    let reported = || {
        let notices = studio.snapshot().notices;
        let reported = notices.iter().filter(|it| it.key().starts_with("scene-"));
        let second = |it: &onair::studio::Notice| it.value(it.problem.args()[1].0).unwrap();
        reported.map(|it| (it.key(), second(it))).collect::<Vec<_>>()
    };
    let absent = folder.path().join("absent.mp4").display().to_string();
    assert_eq!(reported(), [("scene-file-left-out", absent)]);
    studio.send(Command::Edit(Edit::RemoveFile(id, 0)));
    wait_for("nothing to tell", LIMIT, || reported().is_empty());
    let of_two = |index: usize| playing().is_some_and(|it| it.item == Some((index, 2)));
    studio.send(Command::AtEnd(id, EndBehavior::Hold));
    // The last frame of the last file stays.
    let held =
        || of_two(1) && playing().is_some_and(|it| it.paused) && (140..170).contains(&luma());
    wait_for("its end", LIMIT, held);
    studio.send(Command::Media(id, TransportCommand::Restart));
    wait_for("the first again", LIMIT, || of_two(0) && (55..85).contains(&luma()));
    studio.send(Command::Media(id, TransportCommand::Next));
    wait_for("the second at once", LIMIT, || of_two(1) && (140..170).contains(&luma()));
    studio.end(LIMIT).unwrap();
}

#[test]
fn a_list_whose_own_file_is_missing_plays_the_others() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let absent = folder.path().join("absent.mp4");
    let second = gray_clip(folder.path(), "second.mp4", "0xa0a0a0", "320x180", 1_000);
    let plays = |studio: &Studio| {
        wait_for("the second", LIMIT, || {
            let Snapshot { scenes, strips, notices, .. } = studio.snapshot();
            let source = scenes.sources.iter().find(|it| it.file_problem(&absent).is_some());
            let keys = notices.iter().map(|it| it.key()).filter(|it| it.starts_with("scene-"));
            source.and_then(|it| it.playing).is_some_and(|it| it.item == Some((1, 2)))
                && (140..170).contains(&middle(studio))
                && strips.get(1).is_some_and(|it| it.meter.peak_dbfs > -30.0)
                && keys.eq(["scene-file-left-out"])
        });
    };
    let studio = studio();
    add(&studio, "Clips", &absent);
    let fails = || studio.snapshot().strips.get(1).map(|it| it.state) == Some(SourceState::Failed);
    wait_for("the failure", LIMIT, fails);
    let id = studio.snapshot().scenes.collection.sources[0].id;
    studio.send(Command::Edit(Edit::AddFile(id, second)));
    plays(&studio);

    // The next start opens the strip before the source.
    let Snapshot { scenes, strips, .. } = studio.snapshot();
    studio.end(LIMIT).unwrap();
    let strips = strips.into_iter().map(|it| it.audio).collect();
    let collection = (*scenes.collection).clone();
    let settings = Settings { collection, strips, ..settings(VideoChoice::None) };
    let studio = Studio::start(studio::Config::new(Clock::start(), settings)).unwrap();
    plays(&studio);
    studio.end(LIMIT).unwrap();
}

#[test]
fn a_clip_that_restarts_shows_only_its_beginning_when_its_scene_returns() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("clip.mp4");
    // Dark, and light at its end.
    let picture = "color=0x404040:s=320x180:r=15:d=2,format=yuv420p,\
        drawbox=w=iw:h=ih:color=0xd0d0d0:t=fill:enable=gte(n\\,24)";
    let words = ["-hide_banner", "-nostdin", "-v", "error", "-f", "lavfi", "-i", picture];
    Peer::start("ffmpeg", [&words[..], &["-c:v", "libx264", path.to_str().unwrap()]].concat())
        .wait_success(LIMIT);
    let (dark, light) = (55..85, 190..225);
    let studio = studio();
    add(&studio, "Clip", &path);
    wait_for("the source", LIMIT, || !studio.snapshot().scenes.collection.sources.is_empty());
    let id = studio.snapshot().scenes.collection.sources[0].id;
    let (at_end, hidden) = (EndBehavior::Hold, WhenHidden::Restarts);
    let properties = Properties { at_end, hidden, ..Properties::default() };
    studio.send(Command::Edit(Edit::SetProperties(id, properties)));
    studio.send(Command::Edit(Edit::AddScene("Talk".into())));
    wait_for("the scene", LIMIT, || studio.snapshot().scenes.collection.scenes.len() == 2);
    let stands = || {
        let playing = studio.snapshot().scenes.source(id).and_then(|it| it.playing);
        playing.is_some_and(|it| it.stopped) && light.contains(&middle(&studio))
    };
    wait_for("its end", LIMIT, stands);
    let collection = studio.snapshot().scenes.collection;
    let (first, other) = (collection.scenes[0].id, collection.scenes[1].id);
    studio.send(Command::SwitchScene(other));
    studio.send(Command::SetPreviewScene(Some(first)));
    let preview = || middle_of(&studio.snapshot().scenes.preview);
    wait_for("its beginning in the preview", LIMIT, || dark.contains(&preview()));

    // All frames of the program from now on.
    let (seen, program) = (Arc::new(Mutex::new(Vec::new())), studio.program());
    let (its_seen, its_program) = (Arc::clone(&seen), program.clone());
    program.on_change(move || its_seen.lock().unwrap().push(middle_of(&its_program)));
    studio.send(Command::SwitchScene(first));
    wait_for("its end again", LIMIT, stands);
    studio.end(LIMIT).unwrap();
    let seen = seen.lock().unwrap();
    let begins = seen.iter().position(|luma| dark.contains(luma)).unwrap();
    assert!(!seen[..begins].iter().any(|luma| light.contains(luma)), "{seen:?}");
}

#[test]
fn a_list_goes_on_whatever_is_taken_out_of_it_fails_or_is_asked_for_at_its_end() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let clip = |name, gray| gray_clip(folder.path(), name, gray, "320x180", 440);
    let first = clip("first.mp4", "0x404040");
    let (second, third) = (clip("second.mp4", "0xa0a0a0"), clip("third.mp4", "0xd0d0d0"));
    let (dark, light, lightest) = (55..85, 140..170, 190..225);
    let studio = studio();
    add(&studio, "Clips", &first);
    wait_for("the source", LIMIT, || !studio.snapshot().scenes.collection.sources.is_empty());
    let id = studio.snapshot().scenes.collection.sources[0].id;
    let edit = |edit| studio.send(Command::Edit(edit));
    let playing = || studio.snapshot().scenes.source(id).and_then(|it| it.playing);
    let shows = |item, luma: &std::ops::Range<u8>| {
        playing().is_some_and(|it| it.item == item) && luma.contains(&middle(&studio))
    };

    // A file that is removed while it plays is played to its end, and not again.
    edit(Edit::AddFile(id, second.clone()));
    wait_for("the second", LIMIT, || shows(Some((1, 2)), &light));
    edit(Edit::RemoveFile(id, 0));
    wait_for("the first alone", LIMIT, || shows(None, &dark));

    // At the end of the list, a seek goes to the file that was shown last.
    edit(Edit::AddFile(id, second));
    studio.send(Command::AtEnd(id, EndBehavior::Hold));
    let stands = || playing().is_some_and(|it| it.paused);
    wait_for("the end", LIMIT, || stands() && shows(Some((1, 2)), &light));
    studio.send(Command::Media(id, TransportCommand::To(Duration::ZERO)));
    let mut seen = Vec::new();
    wait_for("its beginning", LIMIT, || {
        let it = playing().unwrap();
        seen.push((it.item, dark.contains(&middle(&studio))));
        !it.paused && it.at > Duration::ZERO
    });
    wait_for("the end again", LIMIT, || {
        seen.push((playing().unwrap().item, dark.contains(&middle(&studio))));
        stands()
    });
    assert!(seen.iter().all(|it| *it == (Some((1, 2)), false)), "{seen:?}");
    studio.send(Command::Media(id, TransportCommand::Previous));
    wait_for("the one before it", LIMIT, || shows(Some((0, 2)), &dark));

    // If the last file cannot be played, onair plays it as soon as that is possible.
    let late = folder.path().join("late.mp4");
    edit(Edit::AddFile(id, late.clone()));
    let fails = || {
        let source = studio.snapshot().scenes.source(id).cloned().unwrap();
        source.reason.to_string().contains("late.mp4") && source.playing.is_some_and(|it| it.paused)
    };
    wait_for("the failure", LIMIT, fails);
    std::fs::rename(third, late).unwrap();
    wait_for("the third", LIMIT, || shows(Some((2, 3)), &lightest));
    studio.end(LIMIT).unwrap();
}
