//! Reads the chats of streaming services from servers of the test that answer as the services document
//! it. Twitch: login without an account, tags, pings, deletions, and a new connection after the server
//! ends one. YouTube: the key in a header field, pages, and the end of the broadcast. Bilibili: packets,
//! compressed and not.

use std::io::Write;
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc;
use std::thread;

use crate::peers::{LIMIT, Onair, ffmpeg, missing, wait_for, web};
use serde_json::Value;
use tokio_tungstenite::tungstenite::{Message, WebSocket, accept};

type Socket = WebSocket<TcpStream>;

/// Returns the next text of the client.
fn next(socket: &mut Socket) -> String {
    loop {
        match socket.read().unwrap() {
            Message::Text(text) => return text.as_str().to_owned(),
            _ => continue,
        }
    }
}

fn say(socket: &mut Socket, text: &str) {
    socket.send(Message::text(text)).unwrap();
}

/// Accepts a client, checks its login, and lets it join the channel.
fn join(listener: &TcpListener) -> Socket {
    let (stream, _) = listener.accept().unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let mut socket = accept(stream).unwrap();
    let login = next(&mut socket);
    assert!(login.contains("NICK justinfan") && login.contains("JOIN #show\r\n"), "{login}");
    assert!(!login.contains("PASS"), "{login}");
    say(&mut socket, ":tmi.twitch.tv 001 justinfan1 :Welcome, GLHF!\r\n");
    say(&mut socket, "@emote-only=0;room-id=12 :tmi.twitch.tv ROOMSTATE #show\r\n");
    socket
}

fn is_chat(event: &Value, field: &str, value: &str) -> bool {
    event["event"] == "chat" && event[field] == value
}

#[test]
fn messages_of_twitch_are_printed_and_a_lost_connection_is_reconnected() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("twitch:Show@ws://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let mut first = join(&listener);
        say(
            &mut first,
            "@badges=broadcaster/1;display-name=Ann;id=1;user-id=7 :ann!a@a PRIVMSG #show :Kappa hi\r\n\
             @badges=;display-name=小明;id=2;user-id=8 :ming!a@a PRIVMSG #show :加油\r\n",
        );
        say(&mut first, "PING :tmi.twitch.tv\r\n");
        assert_eq!(next(&mut first), "PONG :tmi.twitch.tv\r\n");
        // The server goes without a word.
        drop(first);
        let mut second = join(&listener);
        say(&mut second, "@display-name=Bob;id=3 :bob!b@b PRIVMSG #show :back again\r\n");
        second
    });
    let mut live = Onair::start(&[
        "live",
        "--built-in",
        "--video",
        "test",
        "--audio",
        "tone",
        "--size",
        "320x180",
        "--chat",
        &address,
    ]);
    let mut wait = |what: &str, is: &dyn Fn(&Value) -> bool| live.wait_event(what, is);
    let open = wait("the open chat", &|it| is_chat(it, "state", "open"));
    assert_eq!((&open["service"], &open["channel"]), (&"twitch".into(), &"show".into()));
    let ann = wait("a message", &|it| is_chat(it, "name", "Ann"));
    assert_eq!((&ann["text"], &ann["role"]), (&"Kappa hi".into(), &"streamer".into()));
    let ming = wait("a message in Chinese", &|it| is_chat(it, "name", "小明"));
    assert_eq!((&ming["text"], &ming["role"]), (&"加油".into(), &Value::Null));
    wait("the lost chat", &|it| is_chat(it, "state", "lost"));
    let bob = wait("a message after the reconnection", &|it| is_chat(it, "name", "Bob"));
    assert_eq!(bob["text"], "back again");
    let _socket = server.join().unwrap();
    assert!(live.stop(LIMIT).success());
}

#[test]
fn a_channel_that_the_service_refuses_is_not_asked_again() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("twitch:show@ws://{}/", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        let mut socket = accept(stream).unwrap();
        next(&mut socket);
        say(
            &mut socket,
            "@msg-id=msg_channel_suspended :tmi.twitch.tv NOTICE #show :This channel is suspended.\r\n",
        );
        // The client leaves.
        while socket.read().is_ok() {}
    });
    let mut live = Onair::start(&[
        "live",
        "--built-in",
        "--video",
        "test",
        "--audio",
        "tone",
        "--size",
        "320x180",
        "--chat",
        &address,
    ]);
    let refused = live.wait_event("the refusal", |it| is_chat(it, "state", "refused"));
    let cause = refused["cause"].as_str().unwrap();
    assert!(cause.contains("This channel is suspended."), "{cause}");
    server.join().unwrap();
    // A broadcast that ends before it began is a failure.
    live.wait_event("the broadcast", |it| it["event"] == "target" && it["state"] == "live");
    assert!(live.stop(LIMIT).success());
}

/// Starts a broadcast that reads this chat.
fn live(address: &str, variables: &[(&str, &str)]) -> Onair {
    let arguments =
        ["live", "--built-in", "--video", "test", "--audio", "tone", "--size", "320x180"];
    Onair::start_with(&[&arguments[..], &["--chat", address]].concat(), variables)
}

fn answer(stream: &mut TcpStream, status: &str, body: &str) {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 {status}\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    // The program may have left.
    let _ = stream.write_all(format!("{head}{body}").as_bytes());
}

#[test]
fn messages_of_youtube_are_printed_page_by_page_until_the_broadcast_is_over() {
    let message = |id: &str, name: &str, text: &str, owner: bool| {
        format!(
            r#"{{"id":"{id}","snippet":{{"type":"textMessageEvent","authorChannelId":"UC{name}",
            "textMessageDetails":{{"messageText":"{text}"}}}},"authorDetails":{{"displayName":"{name}",
            "isChatOwner":{owner},"isChatModerator":false}}}}"#
        )
    };
    let page = |next: &str, items: &[String]| {
        format!(
            r#"{{"kind":"youtube#liveChatMessageListResponse","nextPageToken":"{next}",
            "pollingIntervalMillis":1000,"items":[{}]}}"#,
            items.join(",")
        )
    };
    let first =
        page("P1", &[message("1", "Ann", "hello", true), message("2", "小明", "加油", false)]);
    // The first message comes again, as after a lost connection.
    let second =
        page("P2", &[message("1", "Ann", "hello", true), message("3", "Bob", "bye", false)]);
    let (told, wrong) = mpsc::channel();
    let port = web::canned(move |request, stream| {
        let line = request.lines().next().unwrap_or_default().to_owned();
        let has_key =
            request.lines().any(|it| it.eq_ignore_ascii_case("x-goog-api-key: planted-key"));
        if !has_key || line.contains("planted") {
            told.send(request.to_owned()).unwrap();
        }
        let is = |part: &str| line.contains(part);
        if is("/youtube/v3/videos?part=liveStreamingDetails&id=dQw4w9WgXcQ ") {
            let body = r#"{"items":[{"liveStreamingDetails":{"activeLiveChatId":"Cg0K"}}]}"#;
            answer(stream, "200 OK", body);
        } else if is("/youtube/v3/liveChat/messages") && is("liveChatId=Cg0K") {
            if is("pageToken=P2") {
                let body = r#"{"error":{"code":403,"errors":[{"reason":"liveChatEnded"}]}}"#;
                answer(stream, "403 Forbidden", body);
            } else {
                answer(stream, "200 OK", if is("pageToken=P1") { &second } else { &first });
            }
        } else {
            told.send(line).unwrap();
        }
    });
    let address = format!("youtube:dQw4w9WgXcQ@http://127.0.0.1:{port}/");
    let folder = tempfile::tempdir().unwrap();
    let key = folder.path().join("key");
    std::fs::write(&key, "planted-key\n").unwrap();
    let mut live = live(&address, &[("ONAIR_YOUTUBE_KEY_FILE", &key.display().to_string())]);
    let ann = live.wait_event("a message", |it| is_chat(it, "name", "Ann"));
    assert_eq!((&ann["text"], &ann["role"]), (&"hello".into(), &"streamer".into()), "{ann}");
    assert_eq!((&ann["service"], &ann["channel"]), (&"youtube".into(), &"dQw4w9WgXcQ".into()));
    let bob = live.wait_event("the next page", |it| is_chat(it, "name", "Bob"));
    assert_eq!(bob["text"], "bye");
    let refused = live.wait_event("the end", |it| is_chat(it, "state", "refused"));
    assert!(refused["cause"].as_str().unwrap().contains("liveChatEnded"), "{refused}");
    let of_ann = live.events().iter().filter(|it| is_chat(it, "name", "Ann")).count();
    assert_eq!(of_ann, 1);
    assert_eq!(wrong.try_iter().collect::<Vec<String>>(), Vec::<String>::new());
    live.wait_event("the broadcast", |it| it["event"] == "target" && it["state"] == "live");
    assert!(live.stop(LIMIT).success());
    assert!(!live.peer.errors().contains("planted-key"));
}

#[test]
fn the_chat_of_youtube_without_a_key_says_how_to_get_one() {
    let mut live = live("https://www.youtube.com/watch?v=dQw4w9WgXcQ", &[]);
    let refused = live.wait_event("the refusal", |it| is_chat(it, "state", "refused"));
    assert!(refused["cause"].as_str().unwrap().contains("key"), "{refused}");
    live.wait_event("the broadcast", |it| it["event"] == "target" && it["state"] == "live");
    assert!(live.stop(LIMIT).success());
}

/// Returns a packet of Bilibili.
fn packet(version: u8, operation: u8, body: &[u8]) -> Vec<u8> {
    let length = u32::try_from(16 + body.len()).unwrap().to_be_bytes();
    [&length[..], &[0, 16, 0, version, 0, 0, 0, operation, 0, 0, 0, 1], body].concat()
}

/// Returns these bytes in the format of zlib (RFC 1950), as one stored block.
fn zlib(bytes: &[u8]) -> Vec<u8> {
    let length = u16::try_from(bytes.len()).unwrap();
    let (mut a, mut b) = (1_u32, 0_u32);
    for byte in bytes {
        a = (a + u32::from(*byte)) % 65_521;
        b = (b + a) % 65_521;
    }
    let check = (b << 16 | a).to_be_bytes();
    let block = [&[1][..], &length.to_le_bytes(), &(!length).to_le_bytes(), bytes].concat();
    [&[0x78, 0x01][..], &block, &check].concat()
}

#[test]
fn messages_of_bilibili_are_printed_from_plain_and_compressed_packets() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("bilibili:0123@ws://{}/sub", listener.local_addr().unwrap());
    let server = thread::spawn(move || {
        let (stream, _) = listener.accept().unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        let mut socket = accept(stream).unwrap();
        let Message::Binary(login) = socket.read().unwrap() else { panic!("no login") };
        assert_eq!(login[..4], u32::try_from(login.len()).unwrap().to_be_bytes());
        assert_eq!(login[4..12], [0, 16, 0, 1, 0, 0, 0, 7]);
        let body: Value = serde_json::from_slice(&login[16..]).unwrap();
        assert_eq!((&body["roomid"], &body["uid"]), (&123.into(), &0.into()));
        let mut tell = |frame: Vec<u8>| socket.send(Message::binary(frame)).unwrap();
        tell(packet(1, 8, br#"{"code":0}"#));
        let plain = r#"{"cmd":"DANMU_MSG","info":[[0,1],"加油",[7,"小明",1,0]]}"#;
        tell(packet(0, 5, plain.as_bytes()));
        let open = r#"{"cmd":"LIVE_OPEN_PLATFORM_DM","data":{"uname":"Ann","msg":"hi","open_id":"o","msg_id":"m"}}"#;
        tell(packet(2, 5, &zlib(&packet(0, 5, open.as_bytes()))));
        socket
    });
    let mut live = live(&address, &[]);
    live.wait_event("the open chat", |it| is_chat(it, "state", "open"));
    let ming = live.wait_event("a message", |it| is_chat(it, "name", "小明"));
    assert_eq!((&ming["text"], &ming["role"]), (&"加油".into(), &"moderator".into()), "{ming}");
    assert_eq!((&ming["service"], &ming["channel"]), (&"bilibili".into(), &"123".into()));
    let ann = live.wait_event("a compressed message", |it| is_chat(it, "name", "Ann"));
    assert_eq!(ann["text"], "hi");
    let _socket = server.join().unwrap();
    assert!(live.stop(LIMIT).success());
}

#[test]
fn the_chat_as_a_source_shows_messages_until_they_are_deleted() {
    if missing(&["ffmpeg"]) {
        return;
    }
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("twitch:show@ws://{}/", listener.local_addr().unwrap());
    let (clear, cleared) = mpsc::channel();
    let server = thread::spawn(move || {
        let mut socket = join(&listener);
        let words = "WWWW ".repeat(60);
        for number in 0..3 {
            let tags = format!("@display-name=Ann;id={number};user-id=7");
            say(&mut socket, &format!("{tags} :ann!a@a PRIVMSG #show :{words}\r\n"));
        }
        cleared.recv().unwrap();
        say(&mut socket, "@room-id=12 :tmi.twitch.tv CLEARCHAT #show\r\n");
        socket
    });
    let arguments =
        ["live", "--built-in", "--video", "chat:3", "--audio", "silence", "--size", "320x180"];
    let mut live = Onair::start(&[&arguments[..], &["--chat", &address]].concat());
    let url = live.play_url();
    let wait_brightness = |what: &str, is: &dyn Fn(u8) -> bool| {
        wait_for(what, LIMIT, || is(ffmpeg::color(&url).into_iter().max().unwrap()));
    };
    // More than the picture in place of a source that is not open yet.
    wait_brightness("the messages", &|it| it > 40);
    clear.send(()).unwrap();
    wait_brightness("their deletion", &|it| it <= 2);
    let _socket = server.join().unwrap();
    assert!(live.stop(LIMIT).success());
}
