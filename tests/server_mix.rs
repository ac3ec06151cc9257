//! Test of a server that mixes: `onair live` without a window pulls two streams from `onair serve`,
//! shows them side by side with a watermark, and publishes the program back to the server.

use std::fs;
use std::process::Command;

use crate::peers::{self, LIMIT, Onair, Peer};
use crate::tracks::{amplitude, samples};

/// Publishes a stream of one color with a tone.
fn publish(url: &str, color: &str, hertz: u32) -> Peer {
    let words = format!(
        "-hide_banner -nostdin -re -f lavfi -i color={color}:size=320x360:rate=25 \
         -re -f lavfi -i sine=frequency={hertz}:sample_rate=48000 -c:v libx264 -preset ultrafast \
         -tune zerolatency -g 25 -pix_fmt yuv420p -c:a aac -f flv {url}"
    );
    Peer::start("ffmpeg", words.split_whitespace())
}

/// The colors of three places of a picture: left, right, and the watermark.
fn colors(url: &str) -> Option<[[u8; 3]; 3]> {
    let output = Command::new("ffmpeg")
        .args(["-nostdin", "-v", "error", "-rw_timeout", "10000000", "-i", url, "-an"])
        .args(["-frames:v", "1", "-vf", "scale=64:36,format=rgb24", "-f", "rawvideo", "-"])
        .output()
        .unwrap();
    let at = |x: usize, y: usize| -> Option<[u8; 3]> {
        let place = (y * 64 + x) * 3;
        output.stdout.get(place..place + 3)?.try_into().ok()
    };
    Some([at(10, 26)?, at(48, 26)?, at(57, 5)?])
}

fn is_near(color: [u8; 3], expected: [u8; 3]) -> bool {
    color.iter().zip(expected).all(|(is, wanted)| is.abs_diff(wanted) < 40)
}

#[test]
fn two_streams_of_a_server_are_mixed_with_a_watermark_and_published_back() {
    peers::in_real_time!(two_streams_of_a_server_are_mixed_with_a_watermark_and_published_back);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let mark = folder.path().join("watermark.png");
    let words = "-hide_banner -nostdin -y -v error -f lavfi -i color=white:size=64x64 -frames:v 1";
    Peer::start("ffmpeg", words.split_whitespace().chain([mark.to_str().unwrap()]))
        .wait_success(LIMIT);
    let config = folder.path().join("serve.toml");
    let text = "rtmp = '127.0.0.1:0'\nhttp = '127.0.0.1:0'\nwebrtc = 'none'\n\
                publish_keys = ['planted-key']\n";
    fs::write(&config, text).unwrap();
    let mut serve = Onair::start(&["serve", "--config", config.to_str().unwrap()]);
    let rtmp = serve.wait_named("ready")["rtmp"].as_str().unwrap().to_owned();
    let stream = |name: &str| format!("{rtmp}/live/{name}");
    let key = "?key=planted-key";
    let _ann = publish(&format!("{}{key}", stream("ann")), "red", 440);
    let _ben = publish(&format!("{}{key}", stream("ben")), "blue", 880);
    serve.wait_event("both", |event| event["event"] == "publish" && event["stream"] == "ben");
    let source = |name: &str| format!("name = '{name}'\nsource = 'stream:{}'\n", stream(name));
    let (ann, ben) = (source("ann"), source("ben"));
    let settings = folder.path().join("show.toml");
    let text = format!(
        "version = 2\nvideo = 'none'\naudio = 'none'\n\
         [[strips]]\n[[strips]]\n{ann}[[strips]]\n{ben}\
         [collection]\ncurrent = 'Talk'\n\
         [[collection.sources]]\n{ann}[[collection.sources]]\n{ben}\
         [[collection.sources]]\nname = 'Watermark'\nsource = 'image:{}'\n\
         [[collection.scenes]]\nname = 'Talk'\n\
         [[collection.scenes.items]]\nsource = 'ann'\nwidth = 0.5\n\
         [[collection.scenes.items]]\nsource = 'ben'\nx = 0.5\nwidth = 0.5\n\
         [[collection.scenes.items]]\nsource = 'Watermark'\nx = 0.85\ny = 0.05\n\
         width = 0.1\nheight = 0.178\n",
        mark.display()
    );
    fs::write(&settings, text).unwrap();
    let mut words = vec!["live", "--settings", settings.to_str().unwrap()];
    let app = format!("{rtmp}/live");
    words.extend(["--size", "640x360", "--fps", "25", "--to", &app, "--key-env", "SHOW_KEY"]);
    let show_key = format!("show{key}");
    let mut live = Onair::start_with(&words, &[("SHOW_KEY", &show_key)]);
    let show = stream("show");
    serve.wait_event("the program", |event| {
        event["event"] == "publish" && event["stream"] == "show"
    });
    let expected = [[254, 0, 0], [0, 0, 254], [255, 255, 255]];
    peers::wait_for("both pictures and the watermark", LIMIT, || {
        colors(&show).is_some_and(|is| is.iter().zip(expected).all(|(is, it)| is_near(*is, it)))
    });
    let file = folder.path().join("show.flv");
    peers::ffmpeg::play(&show, 4, &file).wait_success(LIMIT);
    let all = samples(&file, 0);
    let middle = &all[all.len() / 2..all.len() / 2 + 9_600];
    for hertz in [440.0, 880.0] {
        let found = amplitude(middle, hertz);
        assert!(found > 0.03, "{hertz} Hz: {found}");
    }
    // The broadcast ends cleanly, as the service ends it.
    assert_eq!(live.stop(LIMIT).code(), Some(0), "{}", live.peer.errors());
    serve.wait_event("its end", |event| event["event"] == "unpublish" && event["stream"] == "show");
}
