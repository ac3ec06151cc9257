//! Test of a publisher that reconnects with different audio and the same video during playback.
//! ffmpeg publishes to `onair serve`, and `onair play` plays over RTMP and HTTP.

use serde_json::Value;

use crate::peers::{self, LIMIT, Onair, ffmpeg, wait_for};

/// ffmpeg options, and the audio format that results from them.
const FORMS: [(&[&str], &str); 3] = [
    (&[], "AAC-LC 48 kHz stereo"),
    (&["-ar", "44100", "-ac", "1"], "AAC-LC 44.1 kHz mono"),
    (&["-ar", "48000", "-ac", "2"], "AAC-LC 48 kHz stereo"),
];

fn notices<'a>(events: &'a [Value], begins: &str) -> Vec<&'a Value> {
    let key = |event: &Value| event["key"].as_str().unwrap_or_default().to_owned();
    let notices = events.iter().filter(|event| event["event"] == "notice");
    notices.filter(|event| key(event).starts_with(begins)).collect()
}

#[test]
fn a_publisher_that_reconnects_with_other_audio_plays_on_over_rtmp_and_http() {
    peers::require!("ffmpeg");
    let mut serve = Onair::start(&["serve", "--rtmp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    let ready = serve.wait_named("ready");
    let at = |name: &str| ready[name].as_str().unwrap().trim_end_matches('/').to_owned();
    let (rtmp, http) =
        (format!("{}/live/show", at("rtmp")), format!("{}/live/show.flv", at("http")));
    let mut viewers: Vec<Onair> = Vec::new();
    let count = |serve: &Onair, name: &str| {
        serve.events().iter().filter(|event| event["event"] == name).count()
    };
    // What each viewer had played before this format.
    let mut before = [(0, 0); 2];
    for (round, (options, form)) in FORMS.into_iter().enumerate() {
        let publisher = ffmpeg::publish_with(&rtmp, None, options);
        wait_for("a publication", LIMIT, || count(&serve, "publish") > round);
        if viewers.is_empty() {
            let play = |url: &String| Onair::start(&["play", "--headless", "--mute", url]);
            viewers = [&rtmp, &http].map(play).into();
        }
        for (viewer, before) in viewers.iter_mut().zip(&mut before) {
            let number = |event: &Value, name: &str| event[name].as_u64().unwrap_or_default();
            let (samples, shown) = *before;
            let later = viewer.wait_event(form, |event| {
                event["event"] == "play_stats"
                    && event["audio"] == form
                    // More than two seconds in this format.
                    && number(event, "audio_samples") > samples + 100_000
                    && number(event, "shown") > shown + 50
            });
            *before = (number(&later, "audio_samples"), number(&later, "shown"));
        }
        drop(publisher);
        wait_for("the end of it", LIMIT, || count(&serve, "unpublish") > round);
    }
    for mut viewer in viewers {
        viewer.stop(LIMIT);
        let events = viewer.events();
        let summary = events.last().unwrap();
        assert_eq!((&summary["damaged"], &summary["exit"]), (&0.into(), &0.into()), "{summary}");
        assert_eq!(notices(&events, "player-damaged"), Vec::<&Value>::new());
        // onair reports each new audio format once. It reports no change of the video, which stayed
        // the same.
        let changes = notices(&events, "player-changed");
        let changes: Vec<&str> =
            changes.iter().map(|event| event["detail"].as_str().unwrap()).collect();
        assert_eq!(changes, [FORMS[1].1, FORMS[2].1], "{events:?}");
    }
}
