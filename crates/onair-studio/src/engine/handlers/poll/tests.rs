//! Tests of what the engine does regularly.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::path::PathBuf;

use super::*;
use crate::audio::AudioChoice;
use crate::base::queue::Receiver;
use crate::base::{Clock, Secret};
use crate::capture::VideoChoice;
use crate::media::BitsPerSecond;
use crate::net::web::WebUrl;
use crate::net::{Options, Trouble};
use crate::player::chat::{Chat, ChatState};
use crate::studio::command::{Command, PartCommand};
use crate::studio::engine::config::Config;
use crate::studio::engine::handle::assemble;
use crate::studio::engine::handlers::live::tests::{at_rest, end, on_air, save, until};
#[cfg(unix)]
use crate::studio::engine::handlers::recording::tests::finished;
use crate::studio::engine::server::Serve;
use crate::studio::settings::part::PartKind;
use crate::studio::settings::{Language as Spoken, Preferences, ServerToken, Settings};
use crate::studio::targets::Target;
use crate::studio::targets::quality::{Adapt, Quality};
use crate::studio::watch::chat::ChatChoices;
use crate::studio::watch::choices::WatchCommand;
use crate::wire::chat::{ChatFrame, ChatLine};

const LIMIT: Duration = Duration::from_secs(60);

fn engine(event_log_path: Option<std::path::PathBuf>) -> (Engine, Receiver<Event>) {
    let config = Config {
        event_log_path,
        keyring: false,
        ..Config::new(Clock::start(), Settings::default())
    };
    let (mut engine, ends) = assemble(config).unwrap();
    engine.begin_history();
    (engine, ends.events)
}

#[test]
fn notices_and_the_event_log_have_the_current_time_of_the_system() {
    // The computer slept after the start, which a monotonic clock does not count.
    let clock = Clock::start_at(0);
    let config = Config { keyring: false, ..Config::new(clock, Settings::default()) };
    let (mut engine, _ends) = assemble(config).unwrap();
    let now = Clock::system_micros();
    engine.notices.raise(&StudioMessage::CameraLost { device: "C920".into() }, "");
    assert!(engine.notices.active.notices()[0].wall_micros >= now);
    assert!(engine.notices.log.entries()[0].wall_micros >= now);
    engine.notices.take_back("camera-lost");
    assert!(engine.notices.active.past().all(|past| past.over_micros >= now));
    let lasted = engine.notices.log.entries()[0].lasted;
    assert!(lasted.is_some_and(|lasted| lasted < Duration::from_secs(600)), "{lasted:?}");
}

#[test]
fn onair_quits_although_a_file_of_the_last_broadcast_hangs() {
    let (mut engine, ends) = at_rest(None);
    engine.config.program = false;
    let (release, hangs) = crossbeam_channel::bounded::<()>(0);
    let file = Worker::spawn("hangs", move |_| assert!(hangs.recv().is_err())).unwrap();
    engine.endings.broadcasts.push(file);
    ends.commands.send(Command::Quit).unwrap();
    let running = Worker::spawn("studio", move |_| engine.run(Vec::new())).unwrap();
    assert!(running.join(LIMIT).is_ok());
    drop(release);
}

fn target(index: usize, state: TargetState, trouble: Option<Trouble>) -> event::Target {
    event::Target {
        index,
        host: format!("host{index}:1935"),
        state,
        cause: trouble.map(|it| format!("{it:?}").into()),
        trouble,
        retry_in: (trouble.is_some() && state != TargetState::Failed)
            .then_some(Duration::from_secs(3)),
        exit: (state == TargetState::Failed).then_some(7),
        ..event::Target::default()
    }
}

fn keys_of(engine: &Engine) -> Vec<(&'static str, Option<u32>)> {
    engine.notices.active.notices().iter().map(|it| (it.key(), it.target)).collect()
}

#[test]
fn the_last_report_of_a_target_is_shown_and_logged_like_all_others() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("why.txt");
    let (mut engine, events) = engine(Some(path.clone()));
    // The target failed between two checks, and was reported to the code that ended the
    // broadcast.
    let refused = target(1, TargetState::Failed, Some(Trouble::Refused));
    let message = StudioMessage::ServerSays { host: "host1:1935".into(), text: "no more".into() };
    engine.last_words.0.send(Event::Notice(message.notice(0, ""))).unwrap();
    engine.last_words.0.send(Event::Target(refused)).unwrap();
    engine.endings.broadcasts.push(Worker::spawn("ended", |_| ()).unwrap());
    while !engine.endings.broadcasts.iter().all(Worker::is_finished) {
        std::thread::yield_now();
    }
    engine.poll();
    let keys: Vec<&str> = std::iter::from_fn(|| events.try_recv().ok())
        .map(|event| match event {
            Event::Notice(notice) => notice.key(),
            Event::Target(_) => "target",
            Event::Stopped => "stopped",
            _ => "other",
        })
        .collect();
    assert_eq!(keys, ["server-says", "target-refused", "target", "stopped"]);
    engine.notices.log.end(Duration::from_secs(30));
    let text = std::fs::read_to_string(&path).unwrap();
    assert_eq!(text.lines().count(), 2, "{text}");
    assert!(text.contains("host1:1935: Refused. onair will not retry."), "{text}");
}

#[cfg(unix)]
#[test]
fn the_notice_of_a_saved_file_has_its_path_even_if_it_is_not_unicode() {
    use std::os::unix::ffi::OsStringExt as _;
    let (mut engine, _events) = engine(None);
    let path = PathBuf::from(std::ffi::OsString::from_vec(b"/videos/\xFF.mkv".to_vec()));
    engine.recording_happened(finished(&path));
    engine.saved(Event::Replay(event::Replay {
        path: path.clone(),
        state: event::RecordingState::Finished,
        duration: Duration::from_secs(1),
        bytes: 1,
        reason: None,
    }));
    engine.saved(Event::Screenshot(event::Screenshot { path: path.clone(), reason: None }));
    let files: Vec<_> = engine.notices.active.notices().iter().map(|it| it.file.clone()).collect();
    assert_eq!(files, vec![Some(path); 3]);
}

#[cfg(unix)]
#[test]
fn an_event_log_that_cannot_be_written_is_a_notice() {
    let (mut engine, _events) = engine(Some("/dev/full".into()));
    engine.notices.raise(&StudioMessage::CameraLost { device: "C920".into() }, "");
    until("notice about the event log", || {
        engine.second();
        keys_of(&engine).contains(&("event-log-failed", None))
    });
}

#[test]
fn the_event_log_follows_the_language_of_the_window() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("why.txt");
    let (mut engine, _events) = engine(Some(path.clone()));
    for (language, host) in [(Spoken::English, "one:1935"), (Spoken::Chinese, "two:1935")] {
        let preferences = Preferences { language, ..Preferences::default() };
        engine.handle(Command::SetPreferences { preferences, part_changes: 0 });
        let message = StudioMessage::ServerSays { host: host.into(), text: "hello".into() };
        engine.notices.raise(&message, "");
    }
    engine.notices.log.end(Duration::from_secs(30));
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.contains("one:1935 says: hello"), "{text}");
    assert!(text.contains("的消息：hello"), "{text}");
}

#[test]
fn the_end_of_a_targets_old_connection_says_nothing_about_its_new_one() {
    let (mut engine, _ends) = on_air();
    engine.target_happened(target(1, TargetState::Live, None));
    // The target was switched off and on again, and the old connection ends later.
    engine.last_words.0.send(Event::Target(target(1, TargetState::Stopped, None))).unwrap();
    engine.poll();
    assert_ne!(engine.targets.events[&1].state, TargetState::Stopped);
    // Without a newer connection, the target has stopped.
    engine.last_words.0.send(Event::Target(target(2, TargetState::Stopped, None))).unwrap();
    engine.poll();
    assert_eq!(engine.targets.events[&2].state, TargetState::Stopped);
    end(engine);
}

#[test]
fn a_broadcast_whose_end_got_no_thread_is_over() {
    let (mut engine, events) = engine(None);
    engine.live.stopping = true;
    engine.poll();
    assert!(!engine.live.stopping);
    let mut events = std::iter::from_fn(|| events.try_recv().ok());
    assert!(events.any(|event| matches!(event, Event::Stopped)));
}

#[test]
fn a_target_that_goes_live_takes_back_only_its_own_notices() {
    let (mut engine, _events) = engine(None);
    for index in [1, 2] {
        let event = target(index, TargetState::Connecting, Some(Trouble::Unreachable));
        engine.target_happened(event);
    }
    engine.target_happened(target(2, TargetState::Live, None));
    assert_eq!(keys_of(&engine), [("target-unreachable", Some(1))]);
    let notice = engine.notices.active.notices()[0].clone();
    assert_eq!(notice.summary(), "host1:1935: Unreachable. Retrying in 3 s.");
    // The silence of a target gets its own notice, which is withdrawn when the target accepts
    // data again.
    engine.flow_happened(2, "host2:1935", Flow::Silent);
    let both = [("target-unreachable", Some(1)), ("target-silent", Some(2))];
    assert_eq!(keys_of(&engine), both);
    engine.flow_happened(2, "host2:1935", Flow::NoNetwork);
    assert_eq!(keys_of(&engine)[1], ("target-no-network", Some(2)));
    engine.flow_happened(2, "host2:1935", Flow::Through);
    assert_eq!(keys_of(&engine), both[..1]);
}

#[test]
fn port_443_is_offered_only_if_the_port_is_unreachable_and_the_service_has_it() {
    let (mut engine, _events) = engine(None);
    let servers = ["rtmp://a.rtmp.youtube.com/live2", "rtmp://h.example/app"];
    for (server, stage, is_offered) in [
        (servers[0], "tcp", true),
        // The port is reachable.
        (servers[0], "tls", false),
        (servers[0], "publish", false),
        (servers[1], "tcp", false),
    ] {
        engine.clear_broadcast_notices();
        engine.targets.list = vec![Target::custom(1, server, Secret::new("key"))];
        let failed = target(1, TargetState::Failed, Some(Trouble::Unreachable));
        engine.target_happened(event::Target { stage: Some(stage), ..failed });
        let mut notices = engine.notices.active.notices().iter();
        let notice = notices.find(|notice| notice.target == Some(1)).unwrap();
        let first = notice.remedies.first();
        assert_eq!(first == Some(&Remedy::UsePort443(1)), is_offered, "{server} {stage}");
    }
}

#[test]
fn each_change_of_a_device_has_its_message() {
    use SourceState::{Failed, Lost, Open, Opening, Stalled};
    let report = |state| SourceReport { state, name: "C920".to_owned(), ..SourceReport::default() };
    for (before, after, keys) in [
        (Open, Stalled, [Some("camera-stalled"), Some("microphone-stalled")]),
        (Open, Lost, [Some("camera-lost"), Some("microphone-lost")]),
        (Opening, Failed, [Some("camera-failed"), Some("microphone-failed")]),
        (Stalled, Open, [Some("camera-back"), Some("microphone-back")]),
        (Failed, Open, [Some("camera-back"), Some("microphone-back")]),
        (Opening, Open, [None, None]),
        (Lost, Opening, [None, None]),
    ] {
        let found = [true, false].map(|camera| {
            let message = device_message(&report(after), &report(before), camera)?;
            Some(message.notice(0, "").key())
        });
        assert_eq!(found, keys, "{before:?} {after:?}");
    }
    // A device that delivers again withdraws its notice.
    let (mut engine, _events) = engine(None);
    engine.tell_of(&report(Stalled), &report(Open), Some(false));
    assert_eq!(keys_of(&engine), [("microphone-stalled", None)]);
    engine.tell_of(&report(Open), &report(Stalled), Some(false));
    assert_eq!(keys_of(&engine), [("microphone-back", None)]);
}

#[test]
fn a_target_that_is_stopped_announces_no_other_attempt() {
    let (mut engine, _events) = engine(None);
    engine.target_happened(target(1, TargetState::Reconnecting, Some(Trouble::Lost)));
    engine.target_happened(target(2, TargetState::Failed, Some(Trouble::Refused)));
    let refused = ("target-refused", Some(2));
    assert_eq!(keys_of(&engine), [("target-lost", Some(1)), refused]);
    for index in [1, 2] {
        engine.target_happened(target(index, TargetState::Stopped, None));
    }
    assert_eq!(keys_of(&engine), [refused], "a failure still needs a cure");
}

/// Others can publish to the server and play from it meanwhile.
#[test]
fn viewers_of_the_built_in_server_count_only_while_the_broadcast_reaches_it() {
    let (mut engine, _ends) = on_air();
    assert_eq!(engine.viewers_of_broadcast(), None);
    engine.put_target(Target::built_in());
    assert_eq!(engine.viewers_of_broadcast(), None, "it connects");
    engine.target_happened(target(0, TargetState::Live, None));
    assert_eq!(engine.viewers_of_broadcast(), Some(0));
    engine.put_target(Target { enabled: false, ..Target::built_in() });
    assert_eq!(engine.viewers_of_broadcast(), None);
    end(engine);
}

#[test]
fn the_summary_has_every_target_that_was_live_even_two_on_one_host() {
    let (mut engine, _events) = engine(None);
    let host = "host:1935".to_owned();
    let on_one_host =
        |index| event::Target { host: host.clone(), ..target(index, TargetState::Live, None) };
    for index in [4, 7, 4] {
        engine.target_happened(on_one_host(index));
    }
    engine.target_happened(target(9, TargetState::Failed, Some(Trouble::Refused)));
    let known = |id| BroadcastTarget { id, label: host.clone(), was_live: true };
    assert_eq!(engine.live.summary.targets, [known(Some(4)), known(Some(7))]);
    // The first target is removed, and a new one gets its id.
    engine.targets.list.push(Target::custom(4, "rtmp://host/app", "key".into()));
    engine.remove_target(4);
    engine.target_happened(on_one_host(4));
    assert_eq!(engine.live.summary.targets, [known(None), known(Some(7)), known(Some(4))]);
    // The broadcast ended before its last target reported that it was live.
    let label = "Main target".to_owned();
    engine.live.summary.targets =
        vec![BroadcastTarget { id: Some(7), label, was_live: false }, known(Some(4))];
    engine.target_happened(on_one_host(7));
    assert_eq!(engine.live.summary.targets, [known(Some(7)), known(Some(4))]);
}

#[test]
fn the_targets_of_a_summary_are_none_of_another_profile() {
    let folder = tempfile::tempdir().unwrap();
    let (mut engine, _ends) = at_rest(Some(folder.path()));
    engine.target_happened(target(1, TargetState::Live, None));
    let kind = PartKind::Profile;
    engine.handle(Command::Part(PartCommand::New(kind, "Other".into())));
    assert_eq!(engine.settings.in_use.name(kind), "Other");
    let known = BroadcastTarget { id: None, label: "host1:1935".into(), was_live: true };
    assert_eq!(engine.live.summary.targets, [known]);
}

#[test]
fn how_long_a_target_was_gone_counts_from_what_the_server_accepted_last() {
    let (mut engine, _events) = engine(None);
    engine.target_happened(target(1, TargetState::Live, None));
    engine.target_happened(target(1, TargetState::Reconnecting, Some(Trouble::Lost)));
    let gap = Some(Duration::from_millis(8_100));
    engine.target_happened(event::Target { gap, ..target(1, TargetState::Live, None) });
    let summary = engine.notices.active.notices()[0].summary();
    assert_eq!(summary, "Reconnected to host1:1935 after 8.1 s.");
}

#[test]
fn that_the_computer_is_too_slow_is_withdrawn_when_it_keeps_up_again() {
    let (mut engine, _events) = engine(None);
    let slow = StudioMessage::EncoderSlow { percent: "40 %".into() };
    engine.tell_pace(&PaceNews::Slow(slow));
    assert_eq!(keys_of(&engine), [("encoder-slow", None)]);
    let slow = StudioMessage::EncoderSlow { percent: "60 %".into() };
    engine.tell_pace(&PaceNews::Changed(slow));
    assert_eq!(engine.notices.active.notices()[0].value("percent").as_deref(), Some("60 %"));
    engine.tell_pace(&PaceNews::Over);
    assert!(keys_of(&engine).is_empty(), "{:?}", keys_of(&engine));
    // The event log has its duration.
    let entries = engine.notices.log.entries();
    let lasted: Vec<bool> = entries.iter().map(|entry| entry.lasted.is_some()).collect();
    assert_eq!(lasted, [true]);
}

/// Returns the change to this bitrate because of a slow link.
fn lowered(bitrate: BitsPerSecond) -> Changed {
    Changed { bitrate, lower: true, full: false, recovered: false, by: Some(1) }
}

#[test]
fn that_the_bitrate_was_lowered_follows_the_bitrate_that_the_user_chooses() {
    let (mut engine, _ends) = on_air();
    let bitrates = |engine: &Engine| {
        let mut active = engine.notices.active.notices().iter();
        let lowered = active.find(|it| it.key() == "bitrate-lowered");
        lowered.map(|it| ["wanted", "kbps"].map(|value| it.value(value).unwrap()).join(" "))
    };
    let video_bitrate = BitsPerSecond(900_000);
    let lower = Quality { video_bitrate, ..engine.settings.quality.clone() };
    let higher = Quality { video_bitrate: BitsPerSecond(4_000_000), ..lower };
    let off = Quality { adapt: Adapt::Off, ..lower };
    for (quality, shown) in [(higher, Some("4000 2500")), (lower, None), (off, None)] {
        engine.bitrate_changed(lowered(video_bitrate));
        engine.handle(Command::SetQuality(quality));
        assert_eq!(bitrates(&engine).as_deref(), shown);
        let entries = engine.notices.log.entries();
        let mut lowered = entries.iter().filter(|it| it.notice.key() == "bitrate-lowered");
        assert_eq!(lowered.next_back().unwrap().lasted.is_none(), shown.is_some());
    }
    end(engine);
}

#[test]
fn notices_about_slow_links_have_the_current_bitrate() {
    let (mut engine, _ends) = on_air();
    let bitrates = |engine: &Engine, key: &str| {
        let active = engine.notices.active.notices();
        let notices = active.iter().filter(|it| it.key() == key);
        notices.map(|it| (it.value("kbps").unwrap(), it.times)).collect::<Vec<_>>()
    };
    for (kbps, lower) in [(400, true), (1_500, false)] {
        engine.bitrate_changed(Changed { lower, ..lowered(BitsPerSecond(kbps * 1_000)) });
        assert_eq!(bitrates(&engine, "bitrate-lowered"), [(kbps.to_string(), 1)]);
    }
    let size = Size::new(640, 360);
    for host in ["a:1935", "b:1935"] {
        let lowered = rendition_lowered(host.into(), (BitsPerSecond(400_000), size));
        engine.notices.raise(&lowered, "");
    }
    engine.second_changed((BitsPerSecond(900_000), size));
    assert_eq!(
        bitrates(&engine, "rendition-lowered"),
        [("900".to_owned(), 1), ("900".to_owned(), 1)]
    );
    let entries = engine.notices.log.entries();
    let lowered = entries.iter().filter(|it| it.notice.key().ends_with("-lowered"));
    assert_eq!(lowered.count(), 3, "a correction is no event");
    end(engine);
}

#[test]
fn only_a_fast_link_restores_the_video_with_a_notice() {
    let (mut engine, _ends) = on_air();
    let host = engine.live.on_air.as_ref().unwrap().label(1).unwrap();
    let restored = [("rendition-restored", None), ("bitrate-restored", None)];
    for (recovered, keys) in [(true, &restored[..]), (false, &[])] {
        let second = (BitsPerSecond(800_000), Size::new(640, 360));
        engine.notices.raise(&rendition_lowered(host.clone(), second), "");
        engine.moved(1, RenditionId::Main, recovered);
        let slow = lowered(BitsPerSecond(800_000));
        engine.bitrate_changed(slow);
        engine.bitrate_changed(Changed { lower: false, full: true, recovered, ..slow });
        let is_about =
            |it: &(&str, Option<u32>)| it.0.contains("rendition") || it.0.contains("bitrate");
        assert_eq!(keys_of(&engine).into_iter().filter(is_about).collect::<Vec<_>>(), keys);
        let entries = engine.notices.log.entries();
        let mut lowered = entries.iter().filter(|it| it.notice.key().ends_with("-lowered"));
        assert!(lowered.all(|entry| entry.lasted.is_some()), "{entries:?}");
    }
    end(engine);
}

#[test]
fn settings_that_could_not_be_saved_are_saved_at_the_next_attempt() {
    let folder = tempfile::tempdir().unwrap();
    let home = folder.path().join("onair");
    std::fs::write(&home, "a file in the way").unwrap();
    let (mut engine, _events) = engine(None);
    let path = home.join("settings.toml");
    engine.file.path = Some(path.clone());
    engine.file.services_changed = true;
    engine.changed();
    save(&mut engine);
    let not_saved = [("settings-not-saved", None)];
    assert_eq!(keys_of(&engine), not_saved);
    let problem = engine.notices.active.notices()[0].problem.clone();
    assert_eq!(problem.args()[0], ("path", path.display().to_string().into()));
    assert!(crate::text::Language::English.cure(&problem).unwrap().contains("--settings"));
    // The next attempt is due later, and a notice that was dismissed stays dismissed.
    assert!(!engine.file.is_due(engine.clock.now()));
    save(&mut engine);
    assert_eq!(keys_of(&engine), not_saved);
    engine.notices.active.dismiss(engine.notices.active.notices()[0].id);
    save(&mut engine);
    assert!(keys_of(&engine).is_empty());
    engine.changed();
    save(&mut engine);
    assert_eq!(keys_of(&engine), not_saved);
    std::fs::remove_file(&home).unwrap();
    // The program ends before the next attempt is due.
    engine.end_files();
    // This disk may be slower than the end allows.
    engine.finish_save(LIMIT, true);
    assert!(path.exists() && !engine.file.services_changed);
    assert!(keys_of(&engine).is_empty());
}

#[test]
fn commands_do_not_wait_for_a_disk_that_hangs_and_no_change_is_lost() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let (mut engine, _ends) = at_rest(Some(folder.path()));
    let held = engine.file.hang();
    for seconds in [1, 2] {
        engine.handle(Command::SetDelay(Duration::from_secs(seconds)));
        engine.changed();
        engine.save();
    }
    engine.finish_save(Duration::ZERO, false);
    assert!(engine.settings.delay == Duration::from_secs(2) && !path.exists());
    drop(held);
    engine.finish_save(LIMIT, false);
    assert_eq!(Settings::read(&path).0.delay, Duration::from_secs(1));
    engine.save();
    engine.finish_save(LIMIT, false);
    assert_eq!(Settings::read(&path).0.delay, Duration::from_secs(2));
}

#[test]
fn a_profile_is_changed_only_after_a_running_save() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let (mut engine, _ends) = at_rest(Some(folder.path()));
    let held = engine.file.hang();
    let kind = PartKind::Profile;
    engine.changed();
    engine.save();
    // The time limit passes, because the save does not end.
    engine.handle(Command::Part(PartCommand::New(kind, "Other".into())));
    assert_eq!(engine.settings.in_use.name(kind), "Main");
    assert_eq!(keys_of(&engine), [("part-failed", None)]);
    drop(held);
    engine.finish_save(LIMIT, false);
    engine.handle(Command::Part(PartCommand::New(kind, "Other".into())));
    assert_eq!(engine.settings.in_use.name(kind), "Other");
    assert_eq!(Settings::read(&path).0.in_use.name(kind), "Other");
}

#[test]
fn that_encoding_failed_is_withdrawn_when_encoding_starts() {
    let (mut engine, _events) = engine(None);
    engine.settings.video = Some(VideoChoice::None);
    engine.settings.audio = Some(AudioChoice::Silence);
    engine.begin_program();
    let reason = "no memory".into();
    engine.notices.raise(&StudioMessage::EncoderFailed { reason }, "");
    assert!(engine.begin_broadcast());
    let keys = keys_of(&engine);
    assert!(keys.iter().all(|(key, _)| *key != "encoder-failed"), "{keys:?}");
    engine.end_broadcast();
}

#[test]
fn rules_and_mutes_of_the_own_chat_that_come_over_http_are_shown_and_saved() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("settings.toml");
    let secret = "0123456789abcdef";
    let token = ServerToken { path: PathBuf::new(), token: Secret::new(secret), certificate: None };
    let config = Config {
        settings_path: Some(path.clone()),
        keyring: false,
        server_token: Some(token),
        serve: Serve::AtOnce,
        ..Config::new(Clock::start(), Settings::default())
    };
    let (mut engine, _ends) = assemble(config).unwrap();
    engine.start_built_in();
    let host = engine.built_in.local().1.strip_prefix("http://").unwrap().to_owned();
    let change = |body: &str| {
        let mut stream = TcpStream::connect(&host).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let request = format!(
            "PATCH /api/v1/chats/live/onair HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
             Authorization: Bearer {secret}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 "), "{answer}");
    };
    let url = WebUrl::parse(&format!("ws://{host}/live/onair/chat")).unwrap();
    let viewer = Chat::join(url, Options::default(), &engine.runtime);
    until("chat", || viewer.state() == ChatState::Open);
    assert!(viewer.say(ChatLine::new("eve", "spam").unwrap(), 1));
    until("message", || {
        engine.poll_chat();
        !engine.built_in.figures().chat.unwrap().posts.is_empty()
    });
    let from = engine.built_in.figures().chat.unwrap().posts[0].from;
    change(&format!(r#"{{"mute":[{from}],"slow_seconds":30,"blocked_words":["spoiler"]}}"#));
    let polled = |engine: &mut Engine| {
        engine.poll_chat();
        engine.built_in.figures()
    };
    let figures = polled(&mut engine);
    let rules = &engine.settings.chat_rules;
    assert_eq!((rules.slow, rules.words.words().len()), (Duration::from_secs(30), 1));
    assert_eq!(figures.chat.unwrap().muted.len(), 1);
    change(&format!(r#"{{"unmute":[{from}]}}"#));
    assert!(polled(&mut engine).chat.unwrap().muted.is_empty());
    save(&mut engine);
    assert!(std::fs::read_to_string(path).unwrap().contains("spoiler"));

    // Viewers cannot have the name that the streamer chooses.
    let choices = ChatChoices { name: "Ada".to_owned(), ..ChatChoices::default() };
    engine.handle(Command::Player(WatchCommand::SetChat(choices)));
    engine.poll_chat();
    assert!(viewer.say(ChatLine::new("Ada", "hi").unwrap(), 2));
    until("refusal", || {
        viewer.frames().waiting().any(|frame| {
            matches!(frame, ChatFrame::Refused(why, _) if why.reason == "reserved" && why.number == Some(2))
        })
    });
    drop(viewer);
    end(engine);
}
