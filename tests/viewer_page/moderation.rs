//! Tests of chat moderation over the operator API, as two browsers see it.

use std::io::{Read, Write};
use std::net::TcpStream;

use onair::base::Secret;
use onair::wire::chat::ChatLine;
use serde_json::{Value, json};
use tokio_tungstenite::tungstenite;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;

use super::chromium::{Chromium, Page};
use super::{LIMIT, NO_B_FRAMES, Running, peers, say, start_with};

const TOKEN: &str = "a-token-of-this-test";

/// Requests the state of the chat, or changes it. Returns the status and the answer.
fn ask(running: &Running, token: &str, changes: Option<&Value>) -> (u16, Value) {
    let mut stream = TcpStream::connect(running.http()).unwrap();
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    let body = changes.map(Value::to_string).unwrap_or_default();
    let method = if changes.is_some() { "PATCH" } else { "GET" };
    let request = format!(
        "{method} /api/v1/chats/live/show HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\
         Authorization: Bearer {token}\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    );
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    (status, serde_json::from_str(body).unwrap_or_default())
}

fn change(running: &Running, changes: &Value) -> Value {
    let (status, state) = ask(running, TOKEN, Some(changes));
    assert_eq!(status, 200, "{changes}: {state}");
    state
}

/// Returns the last message with this text.
fn message<'a>(state: &'a Value, text: &str) -> &'a Value {
    let messages = state["messages"].as_array().unwrap();
    messages.iter().rfind(|it| it["text"] == text).unwrap_or_else(|| panic!("{text}: {state}"))
}

/// Waits until the chat of a page has a line that ends like this, or has no such line.
fn wait_line(page: &Page<'_>, line: &str, is_there: bool) {
    let lines = "[...document.querySelectorAll('#lines p')]";
    page.wait(&format!("{lines}.some(it => it.innerText.endsWith({line:?})) === {is_there}"));
}

#[test]
fn the_streamer_has_a_badge_and_viewers_cannot_pass_for_them() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|config| config.http_token = Some(Secret::new(TOKEN)));
    let _publisher = running.publish(&NO_B_FRAMES);
    let streamer = running.server.join_chat("live", "show").unwrap();
    let browser = Chromium::start("en");
    let ann = browser.open(&running.page(), "");
    let bob = browser.open(&running.page(), "");
    for page in [&ann, &bob] {
        page.wait("!document.getElementById('say').disabled");
    }
    streamer.say(ChatLine::new("Kim", "good evening").unwrap());
    let badges = "[...document.querySelectorAll('#lines .badge')].map(it => it.innerText).join()";
    for page in [&ann, &bob] {
        wait_line(page, "Streamer Kim good evening", true);
    }
    for name in ["Kim", "ＳＴＲＥＡＭＥＲ", "主播"] {
        say(&bob, name, "I am the streamer");
        wait_line(
            &bob,
            "This name is taken by the streamer or a moderator. Choose another name.",
            true,
        );
        bob.value("document.querySelector('#lines .own').remove()");
    }
    // A client gets the badge neither by HTML in its name, nor by a role that it claims.
    say(&bob, "<b class=badge>Streamer</b>", "markup");
    let lie = "(() => { const s = new WebSocket(`ws://${location.host}/live/show/chat`);
        s.onopen = () => s.send('{\"name\":\"Eve\",\"text\":\"a lie\",\"role\":\"streamer\"}'); })()";
    bob.value(lie);
    wait_line(&ann, "<b class=badge>Streamer</b> markup", true);
    wait_line(&ann, "Eve a lie", true);
    wait_line(&ann, "I am the streamer", false);
    assert_eq!(ann.value(badges), "Streamer");
    // A client with the token is a moderator, and slow mode does not apply to it.
    change(&running, &json!({ "slow_seconds": 600 }));
    let mut request =
        format!("ws://{}/live/show/chat", running.http()).into_client_request().unwrap();
    request.headers_mut().insert("Authorization", format!("Bearer {TOKEN}").parse().unwrap());
    let stream = TcpStream::connect(running.http()).unwrap();
    let (mut moderator, _) = tungstenite::client(request, stream).unwrap();
    for text in ["be nice", "thank you"] {
        let line = json!({ "name": "Mo", "text": text }).to_string();
        moderator.send(tungstenite::Message::text(line)).unwrap();
        wait_line(&ann, &format!("Moderator Mo {text}"), true);
    }
    let state = ask(&running, TOKEN, None).1;
    assert_eq!(message(&state, "good evening")["role"], "streamer");
    assert_eq!(message(&state, "be nice")["role"], "moderator");
    assert_eq!(message(&state, "a lie")["role"], Value::Null);
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_page_names_the_cure_for_its_origin_and_keeps_all_unanswered_messages() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|_| ());
    let _publisher = running.publish(&NO_B_FRAMES);
    let browser = Chromium::start("en");
    // The page sends nothing, so its messages get no answer.
    let silent = "window.WebSocket = class extends WebSocket {
            constructor(url) {
                super(url);
                if (String(url).includes('/chat')) window.chat = this;
            }
            send() {}
        };";
    let page = browser.open(&running.page(), silent);
    page.wait("!document.getElementById('say').disabled");
    let refusal = json!({ "name": "", "text": "Not passed on.", "refused": "origin" }).to_string();
    page.value(&format!("window.chat.onmessage({{ data: {refusal:?} }})"));
    page.wait("document.querySelector('#lines .own')?.innerText.includes('cors')");
    for text in ["one", "two"] {
        say(&page, "Ann", text);
    }
    page.value("window.chat.onclose({ code: 1006 })");
    // They return one after the other, because together they may be too long.
    let field = "document.getElementById('say').value";
    assert_eq!(page.value(field), "one");
    page.wait("!document.getElementById('say').disabled");
    page.value("document.getElementById('send').requestSubmit()");
    assert_eq!(page.value(field), "two");
}

#[test]
fn the_streamer_deletes_mutes_slows_down_and_blocks_words() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|config| config.http_token = Some(Secret::new(TOKEN)));
    let _publisher = running.publish(&NO_B_FRAMES);
    let browser = Chromium::start("en");
    let ann = browser.open(&running.page(), "");
    let bob = browser.open(&running.page(), "");
    for page in [&ann, &bob] {
        page.wait("!document.getElementById('say').disabled");
    }
    // Without the token, nobody can read or change anything.
    for changes in [None, Some(json!({ "mute": [1] }))] {
        assert_eq!(ask(&running, "wrong", changes.as_ref()).0, 401);
    }

    // A deleted message vanishes from both pages, and from the danmaku over the video.
    say(&bob, "Bob", "first words");
    wait_line(&ann, "first words", true);
    peers::wait_for("danmaku", LIMIT, || {
        let flies =
            "[...document.querySelectorAll('#danmaku span')].some(it => it.innerText === 'fly')";
        let does = ann.value(flies) == true;
        if !does {
            say(&bob, "Bob", "fly");
            std::thread::sleep(std::time::Duration::from_secs(1));
        }
        does
    });
    let (status, state) = ask(&running, TOKEN, None);
    assert_eq!((status, &state["open"]), (200, &json!(true)));
    let of_bob = state["messages"].as_array().unwrap();
    let ids: Vec<&Value> = of_bob.iter().map(|it| &it["id"]).collect();
    assert_eq!(change(&running, &json!({ "delete": ids }))["messages"], json!([]));
    for page in [&ann, &bob] {
        wait_line(page, "first words", false);
        page.wait("document.querySelectorAll('#lines p, #danmaku span').length === 0");
    }
    // A viewer who comes later does not see it either.
    let late = browser.open(&running.page(), "");
    late.wait("!document.getElementById('say').disabled");
    say(&ann, "Ann", "welcome");
    wait_line(&late, "welcome", true);
    assert_eq!(late.value("document.querySelectorAll('#lines p').length"), 1);

    // The page announces slow mode, and holds back messages that come too soon. The interval counts
    // from a viewer's last message, even if it was sent before slow mode. Bob would have to wait,
    // so Late sends.
    change(&running, &json!({ "slow_seconds": 600 }));
    late.wait("document.getElementById('chat-hint').innerText.includes('every 600 s')");
    say(&late, "Late", "slowly");
    wait_line(&ann, "slowly", true);
    say(&late, "Late", "too soon");
    late.wait("/^Slow mode: wait \\d+ s\\.$/.test(document.getElementById('chat-hint').innerText)");
    assert_eq!(late.value("document.getElementById('say').value"), "too soon");
    // The server enforces slow mode too, because a client could bypass the page.
    let again = "(() => { const s = new WebSocket(`ws://${location.host}/live/show/chat`);
        s.onopen = () => s.send('{\"name\":\"Bob\",\"text\":\"around it\"}');
        s.onmessage = event => { window.told = (window.told ?? '') + event.data; }; })()";
    late.value(again);
    late.wait("/\"refused\":\"slow\",\"wait\":\\d+/.test(window.told ?? '')");
    wait_line(&ann, "around it", false);
    change(&running, &json!({ "slow_seconds": 0 }));
    late.wait("document.getElementById('chat-hint').hidden");

    // Words are blocked in any spelling. A person of another name may again send several messages
    // in a row.
    let bob = browser.open(&running.page(), "");
    bob.wait("!document.getElementById('say').disabled");
    let state = change(&running, &json!({ "blocked_words": ["Spoiler", "剧透"] }));
    assert_eq!(state["blocked_words"], json!(["Spoiler", "剧透"]));
    say(&bob, "Rob", "ＳＰＯＩＬＥＲ ahead");
    wait_line(&bob, "Your message contains a blocked word.", true);
    say(&bob, "Rob", "no harm");
    wait_line(&ann, "no harm", true);
    wait_line(&ann, "ahead", false);

    // A muted viewer is told so, and the viewer's messages disappear.
    let from = message(&ask(&running, TOKEN, None).1, "no harm")["from"].clone();
    let state = change(&running, &json!({ "mute": [from] }));
    assert_eq!(state["muted"][0]["name"], "Rob");
    wait_line(&ann, "no harm", false);
    say(&bob, "Rob", "let me in");
    wait_line(&bob, "The streamer has muted you in this chat.", true);
    say(&ann, "Ann", "quiet now");
    wait_line(&bob, "quiet now", true);
    wait_line(&ann, "let me in", false);
    assert_eq!(change(&running, &json!({ "unmute": [from] }))["muted"], json!([]));
    say(&bob, "Rob", "thank you");
    wait_line(&ann, "thank you", true);

    // In slow mode, a message that is not passed on begins no wait.
    let eve = browser.open(&running.page(), "");
    eve.wait("!document.getElementById('say').disabled");
    change(&running, &json!({ "slow_seconds": 600 }));
    eve.wait("document.getElementById('chat-hint').innerText.includes('every 600 s')");
    say(&eve, "Eve", "a spoiler");
    wait_line(&eve, "Your message contains a blocked word.", true);
    say(&eve, "Eve", "never mind");
    wait_line(&ann, "never mind", true);

    // Invalid requests change nothing.
    for (changes, expected) in [
        (json!({ "mute": [999_999] }), 404),
        (json!({ "slow_seconds": 601 }), 422),
        (json!({ "delete": vec![1; 257] }), 422),
        (json!({ "blocked_words": vec!["x"; 257] }), 422),
        (json!({ "ban": [1] }), 400),
        (json!("mute"), 400),
    ] {
        let (status, answer) = ask(&running, TOKEN, Some(&changes));
        assert_eq!(status, expected, "{changes:.60}: {answer}");
        assert!(answer["error"].is_string(), "{answer}");
    }
    assert_eq!(browser.complaints(), Vec::<String>::new());
}

#[test]
fn a_message_that_the_server_does_not_pass_on_returns_to_its_field() {
    if peers::missing(&["chromium", "ffmpeg"]) {
        return;
    }
    let running = start_with(|config| config.http_token = Some(Secret::new(TOKEN)));
    let _publisher = running.publish(&NO_B_FRAMES);
    let browser = Chromium::start("en");
    let page = browser.open(&running.page(), "");
    page.wait("!document.getElementById('say').disabled");
    change(&running, &json!({ "blocked_words": ["spoiler"] }));
    let field = "document.getElementById('say').value";
    // A message that was passed on does not return, even if the server removed a part of it.
    say(&page, "Bob", "no  harm\u{200E}");
    wait_line(&page, "Bob no harm", true);
    assert_eq!(page.value(field), "");
    say(&page, "Bob", "a spoiler");
    wait_line(&page, "Your message contains a blocked word.", true);
    assert_eq!(page.value(field), "a spoiler");
    // The connection ends before the server gets the message. The server would pass it on.
    page.value("WebSocket.prototype.send = function () { this.close(); }");
    say(&page, "Bob", "no harm either");
    page.wait(&format!("{field} === 'no harm either'"));
    assert_eq!(browser.complaints(), Vec::<String>::new());
}
