//! Tests of targets that take a raw MPEG transport stream over TCP or UDP. ffmpeg receives, and
//! ffprobe, ffmpeg's decoders and onair's player check the stream.

use std::fs;
use std::path::Path;
use std::time::Duration;

use serde_json::Value;

use crate::peers::{self, LIMIT, Onair, Peer, ffmpeg, others, wait_for, wait_listening};

/// Starts ffmpeg, which writes the transport stream of this address unchanged to a file, for at
/// most this many seconds of media.
fn receive(url: &str, seconds: u32, file: &Path) -> Peer {
    let seconds = seconds.to_string();
    let words = ["-hide_banner", "-nostdin", "-y", "-f", "mpegts", "-i", url];
    let after = ["-t", &seconds, "-c", "copy", "-f", "mpegts", file.to_str().unwrap()];
    Peer::start("ffmpeg", words.into_iter().chain(after))
}

/// Waits until a process receives datagrams on this port.
fn wait_receiving(port: u16) {
    wait_for("a receiver of datagrams", LIMIT, || {
        let table = fs::read_to_string("/proc/net/udp").unwrap();
        let end = format!(":{port:04X}");
        let mut locals = table.lines().filter_map(|line| line.split_whitespace().nth(1));
        locals.any(|local| local.ends_with(&end))
    });
}

/// Starts a broadcast of the test pattern to these targets.
fn live(targets: &[&str], more: &[&str]) -> Onair {
    let mut words = vec!["live", "--video", "test", "--audio", "tone"];
    words.extend(["--size", "640x360", "--video-bitrate", "1500k"]);
    words.extend(targets.iter().flat_map(|url| ["--to", url]));
    words.extend(more);
    Onair::start(&words)
}

/// Returns the stages of a target after that of its start, in order.
fn stages(events: &[Value], index: u64) -> Vec<String> {
    let its = |event: &&Value| event["event"] == "target" && event["index"] == index;
    let mut stages: Vec<String> = events
        .iter()
        .filter(its)
        .filter_map(|event| event["stage"].as_str().map(str::to_owned))
        .collect();
    stages.dedup();
    stages
}

/// Checks a received file: both tracks, every frame and packet, no warning of any decoder.
fn check(file: &Path, least_frames: usize) {
    let probe = ffmpeg::probe(file);
    assert_eq!((probe.warnings.as_str(), ffmpeg::decode(file).as_str()), ("", ""));
    assert_eq!(probe.stream("video")["codec_name"], "h264");
    assert_eq!(
        (&probe.stream("video")["width"], &probe.stream("audio")["channels"]),
        (&640.into(), &2.into())
    );
    assert_eq!(probe.stream("audio")["codec_name"], "aac");
    for (kind, step) in [("video", 1.0 / 30.0), ("audio", 1_024.0 / 48_000.0)] {
        let packets = probe.packets(kind);
        assert!(packets.len() >= least_frames, "{kind}: {}", packets.len());
        for pair in packets.windows(2) {
            assert!((pair[1].dts - pair[0].dts - step).abs() < 0.001, "{kind}: {pair:?}");
        }
    }
}

#[test]
fn ffmpeg_decodes_a_tcp_target_without_a_warning_and_in_sync() {
    peers::in_real_time!(ffmpeg_decodes_a_tcp_target_without_a_warning_and_in_sync);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("received.ts");
    let port = peers::free_port();
    let mut receiver = receive(&format!("tcp://127.0.0.1:{port}?listen"), 60, &file);
    wait_listening(&mut receiver, port);
    let url = format!("tcp://127.0.0.1:{port}");
    let mut onair = live(&[&url], &["--duration", "8s"]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    // The end of the connection is the end of the stream.
    receiver.wait_success(LIMIT);
    let events = onair.events();
    assert_eq!(stages(&events, 0), ["tcp", "media"]);
    let live = events.iter().find(|event| event["state"] == "live").unwrap();
    assert_eq!((&live["url"], &live["protocol"]), (&url.into(), &"tcp".into()));
    // There is no key that other users of the computer could see.
    assert!(
        !events.iter().any(|event| event["event"] == "notice" && event["key"] == "key-visible")
    );
    check(&file, 200);
    // onair plays no transport streams from files.
    let film = folder.path().join("received.mkv");
    let words = ["-nostdin", "-v", "error", "-i", file.to_str().unwrap(), "-c", "copy"];
    let mut copy = Peer::start("ffmpeg", words.into_iter().chain([film.to_str().unwrap()]));
    copy.wait_success(LIMIT);
    let words = ["play", "--headless", "--measure", "--mute", film.to_str().unwrap()];
    let mut player = Onair::start(&words);
    let measured =
        player.wait_event("a measure of lip sync", |event| event["av_offset_ms"].is_number());
    assert!(measured["av_offset_ms"].as_f64().unwrap().abs() <= 10.0, "{measured}");
    player.stop(LIMIT);
}

#[test]
fn ffmpeg_decodes_datagrams_and_a_multicast_group_without_a_warning() {
    peers::in_real_time!(ffmpeg_decodes_datagrams_and_a_multicast_group_without_a_warning);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let group = "239.255.77.9";
    let ports = [peers::free_port(), peers::free_port()];
    let from = [
        format!("udp://127.0.0.1:{}", ports[0]),
        format!("udp://{group}:{}?localaddr=127.0.0.1", ports[1]),
    ];
    let to = [from[0].clone(), format!("{}&ttl=1&pkt_size=752", from[1])];
    let files = ["one.ts", "group.ts"].map(|name| folder.path().join(name));
    let mut receivers: Vec<_> =
        from.iter().zip(&files).map(|(url, file)| receive(url, 5, file)).collect();
    ports.iter().for_each(|port| wait_receiving(*port));
    let mut onair = live(&[&to[0], &to[1]], &[]);
    for receiver in &mut receivers {
        receiver.wait_success(LIMIT);
    }
    assert_eq!(onair.stop(LIMIT).code(), Some(0), "{}", onair.peer.errors());
    let events = onair.events();
    for (index, file) in files.iter().enumerate() {
        assert_eq!(stages(&events, index as u64), ["media"]);
        check(file, 120);
    }
    let group = events.iter().find(|event| event["index"] == 1 && event["event"] == "target");
    let shown = format!("udp://239.255.77.9:{}?pkt_size=752&ttl=1&localaddr=127.0.0.1", ports[1]);
    assert_eq!(group.unwrap()["url"], shown.as_str());
}

#[test]
fn gstreamer_decodes_both_transports() {
    peers::in_real_time!(gstreamer_decodes_both_transports);
    peers::require!("gst-launch-1.0");
    let ports = [peers::free_port(), peers::free_port()];
    let mut tcp =
        others::gstreamer_receive_ts(&format!("tcpserversrc host=127.0.0.1 port={}", ports[0]));
    let udp = others::gstreamer_receive_ts(&format!("udpsrc address=127.0.0.1 port={}", ports[1]));
    wait_listening(&mut tcp, ports[0]);
    wait_receiving(ports[1]);
    let to = [format!("tcp://127.0.0.1:{}", ports[0]), format!("udp://127.0.0.1:{}", ports[1])];
    let mut onair = live(&[&to[0], &to[1]], &[]);
    for receiver in [&tcp, &udp] {
        wait_for("decoded video and audio", LIMIT, || {
            ["pictures", "sound"].iter().all(|sink| others::gstreamer_seen(receiver, sink) > 30)
        });
    }
    assert_eq!(onair.stop(LIMIT).code(), Some(0), "{}", onair.peer.errors());
}

#[test]
fn every_datagram_has_the_wanted_size_and_only_whole_packets() {
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(LIMIT)).unwrap();
    let to = format!("udp://{}?pkt_size=940", socket.local_addr().unwrap());
    let mut onair = live(&[&to], &[]);
    let mut tables = 0;
    for _ in 0..300 {
        let mut datagram = [0; 2_048];
        assert_eq!(socket.recv(&mut datagram).unwrap(), 940);
        for packet in datagram[..940].chunks(188) {
            assert_eq!(packet[0], 0x47);
            tables += usize::from(packet[1..3] == [0x40, 0]);
        }
    }
    // Receivers that join later get the tables several times per second.
    assert!(tables > 3, "{tables}");
    assert_eq!(onair.stop(LIMIT).code(), Some(0), "{}", onair.peer.errors());
}

#[test]
fn a_receiver_that_reconnects_gets_the_stream_again() {
    peers::in_real_time!(a_receiver_that_reconnects_gets_the_stream_again);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    let files = ["first.ts", "second.ts"].map(|name| folder.path().join(name));
    let port = peers::free_port();
    let listen = format!("tcp://127.0.0.1:{port}?listen");
    let mut first = receive(&listen, 60, &files[0]);
    wait_listening(&mut first, port);
    let mut onair = live(&[&format!("tcp://127.0.0.1:{port}")], &[]);
    wait_for("a received second", LIMIT, || {
        fs::metadata(&files[0]).is_ok_and(|file| file.len() > 200_000)
    });
    first.kill();
    let lost = onair.wait_event("the loss", |event| event["state"] == "reconnecting");
    assert_eq!((&lost["index"], &lost["protocol"]), (&0.into(), &"tcp".into()));
    let mut second = receive(&listen, 3, &files[1]);
    second.wait_success(LIMIT);
    onair.wait_event("the second connection", |event| {
        event["event"] == "stats" && event["targets"][0]["reconnects"].as_u64() > Some(0)
    });
    onair.stop(LIMIT);
    // It begins with a keyframe and its parameter sets, so that every frame can be decoded.
    check(&files[1], 60);
}

#[test]
fn a_file_is_sent_as_it_is_to_a_receiver_of_a_transport_stream() {
    peers::in_real_time!(a_file_is_sent_as_it_is_to_a_receiver_of_a_transport_stream);
    peers::require!("ffmpeg", "ffprobe");
    let folder = tempfile::tempdir().unwrap();
    for (name, codecs) in [("film.flv", "aac"), ("film.mp4", "libmp3lame")] {
        let (film, file) = (folder.path().join(name), folder.path().join(format!("{name}.ts")));
        ffmpeg::make(&film, "640x360", "4", &["-c:a", codecs, "-g", "30"]);
        let port = peers::free_port();
        let mut receiver = receive(&format!("tcp://127.0.0.1:{port}?listen"), 60, &file);
        wait_listening(&mut receiver, port);
        let to = format!("tcp://127.0.0.1:{port}");
        let mut onair = Onair::start(&["live", "--copy", film.to_str().unwrap(), "--to", &to]);
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
        receiver.wait_success(LIMIT);
        let (sent, received) = (ffmpeg::probe(&film), ffmpeg::probe(&file));
        assert_eq!((received.warnings.as_str(), ffmpeg::decode(&file).as_str()), ("", ""));
        for kind in ["video", "audio"] {
            let count = |probe: &ffmpeg::Probe| probe.packets(kind).len();
            assert_eq!(count(&received), count(&sent), "{name}: {kind}");
            let codec = |probe: &ffmpeg::Probe| probe.stream(kind)["codec_name"].clone();
            assert_eq!(codec(&received), codec(&sent), "{name}: {kind}");
        }
    }
}

#[test]
fn a_check_names_the_stages_of_tcp_and_udp_and_sends_nothing() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let tcp = format!("tcp://{}", listener.local_addr().unwrap());
    let udp = format!("udp://{}", socket.local_addr().unwrap());
    for (url, stages) in [(&tcp, vec!["dns", "tcp"]), (&udp, vec!["dns"])] {
        let mut onair = Onair::start(&["check", url]);
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(0), "{}", onair.peer.errors());
        let answer = onair.events().pop().unwrap();
        let names: Vec<_> =
            answer["stages"].as_array().unwrap().iter().map(|it| &it["name"]).collect();
        assert_eq!(names, stages, "{answer}");
        assert_eq!((&answer["ok"], &answer["key_visible"]), (&true.into(), &false.into()));
        assert_eq!(answer["target"], url.as_str());
    }
    let mut bytes = [0; 16];
    let (mut stream, _) = listener.accept().unwrap();
    assert_eq!(std::io::Read::read(&mut stream, &mut bytes).unwrap(), 0);
    assert!(socket.recv(&mut bytes).is_err());
    drop(listener);
    let mut onair = Onair::start(&["check", &tcp]);
    assert_eq!(onair.peer.wait(LIMIT).code(), Some(6));
    let failed = onair.events().pop().unwrap();
    assert_eq!(failed["stages"][1]["name"], "tcp", "{failed}");
}

#[test]
fn a_port_without_a_receiver_ends_the_run_as_unreachable() {
    let port = peers::free_port();
    let to = format!("tcp://127.0.0.1:{port}");
    let mut onair = live(&[&to], &["--retry-for", "500ms", "--duration", "20s"]);
    assert_eq!(onair.peer.wait(Duration::from_secs(90)).code(), Some(6));
    let events = onair.events();
    let failed = events.iter().find(|event| event["state"] == "failed").unwrap();
    assert_eq!(failed["stage"], "tcp", "{failed}");
    for (bad, words) in [
        ("tcp://127.0.0.1", "no port"),
        ("tcp://127.0.0.1:9?listen", "?listen"),
        ("udp://127.0.0.1:9?fifo_size=1", "fifo_size"),
    ] {
        let mut onair = Onair::start(&["live", "--to", bad]);
        assert_eq!(onair.peer.wait(LIMIT).code(), Some(2), "{bad}");
        let said = onair.peer.errors() + &onair.peer.output();
        assert!(said.contains(words), "{said}");
    }
}
