//! Tests of the chats.

use super::*;
use crate::server::registry::chat::allowance::MAX_BURST_MESSAGES;
use crate::server::registry::chat::moderation::{MutedPerson, NotMuted};

fn at(millis: i64) -> Timestamp {
    Timestamp::from_micros(millis * 1_000)
}

const LOCAL_IP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::LOCALHOST);

fn chats(most_rooms: usize, most_people: usize) -> Arc<Chats> {
    Chats::new(most_rooms, most_people, ChatRules::default(), 1)
}

fn text(line: &str) -> String {
    ChatLine::from_json(line).unwrap().text
}

fn line(text: &str) -> ChatLine {
    ChatLine::new("ann", text).unwrap()
}

/// Returns the frames that a member has received since the last call.
fn got(member: &mut ChatMember) -> Vec<ChatFrame> {
    let frame = |json: Arc<str>| ChatFrame::from_json(&json).unwrap();
    std::iter::from_fn(|| member.frames.try_recv().ok().map(frame)).collect()
}

#[test]
fn viewers_cannot_pass_for_the_streamer() {
    let chats = chats(2, 4);
    let room = ("live", "a");
    let mut viewer = chats.enter(room, 1, LOCAL_IP, at(0)).unwrap();
    let mut streamer = chats.enter(room, 2, LOCAL_IP, at(0)).unwrap().with_role(ChatRole::Streamer);
    let named = |name| ChatLine::new(name, "hi").unwrap();
    for name in ["Streamer", "ｓｔｒｅａｍｅｒ", "主播", "\u{405}tr\u{435}amer"] {
        assert_eq!(viewer.say(&named(name), at(0)), Err(PostRefusal::Reserved), "{name}");
    }
    // The name that the streamer has chosen is reserved even before the streamer writes.
    streamer.reserve("Ann");
    assert_eq!(viewer.say(&named("\u{410}NN"), at(5_000)), Err(PostRefusal::Reserved));
    streamer.reserve("");
    assert_eq!(viewer.say(&named("Ann"), at(5_000)), Ok(()));
    chats.set_rules(ChatRules { slow: Duration::from_secs(60), ..ChatRules::default() });
    for _ in 0..2 {
        assert_eq!(streamer.say(&named("Ann"), at(0)), Ok(()), "no rules apply");
    }
    let roles: Vec<_> = got(&mut viewer)
        .into_iter()
        .filter_map(|frame| match frame {
            ChatFrame::Post(post) => Some(post.role),
            _ => None,
        })
        .collect();
    assert_eq!(roles, [ChatRole::Viewer, ChatRole::Streamer, ChatRole::Streamer]);
    // From now on, this name belongs to the streamer.
    for name in ["ANN", "\u{410}nn"] {
        assert_eq!(viewer.say(&named(name), at(90_000)), Err(PostRefusal::Reserved), "{name}");
    }
    // A client can claim a role in its message, but the server ignores the claim.
    let lie = ChatLine::from_json(r#"{"name":"eve","text":"hi","role":"streamer"}"#).unwrap();
    assert_eq!(viewer.say(&lie, at(90_000)), Ok(()));
    let last = got(&mut streamer).into_iter().rev().find_map(|frame| match frame {
        ChatFrame::Post(post) => Some(post.role),
        _ => None,
    });
    assert_eq!(last, Some(ChatRole::Viewer));
}

#[test]
fn everybody_gets_each_line_and_late_comers_get_the_last_lines() {
    let chats = chats(2, 3);
    let mut ann = chats.enter(("live", "a"), 1, LOCAL_IP, at(0)).unwrap();
    let mut bob = chats.enter(("live", "a"), 2, LOCAL_IP, at(0)).unwrap();
    let mut other = chats.enter(("live", "b"), 3, LOCAL_IP, at(0)).unwrap();
    ann.say(&line("one"), at(0)).unwrap();
    bob.say(&ChatLine::new("", "two").unwrap(), at(0)).unwrap();
    for seat in [&mut ann, &mut bob] {
        let first = ChatLine::from_json(&seat.frames.try_recv().unwrap()).unwrap();
        let second = ChatLine::from_json(&seat.frames.try_recv().unwrap()).unwrap();
        assert_eq!((first.name.as_str(), first.text.as_str()), ("ann", "one"));
        assert_eq!((second.name.as_str(), second.text.as_str()), ("guest-2", "two"));
    }
    assert!(other.frames.try_recv().is_err());
    let late = chats.enter(("live", "a"), 4, LOCAL_IP, at(0)).unwrap();
    assert_eq!(late.past.iter().map(|line| text(line)).collect::<Vec<_>>(), ["one", "two"]);
    assert!(chats.enter(("live", "a"), 5, LOCAL_IP, at(0)).is_none(), "it is full");
    assert!(chats.enter(("live", "c"), 5, LOCAL_IP, at(0)).is_none(), "there are too many");
}

#[test]
fn a_chat_ends_with_its_last_person() {
    let chats = chats(1, 3);
    let ann = chats.enter(("live", "a"), 1, LOCAL_IP, at(0)).unwrap();
    let bob = chats.enter(("live", "a"), 2, LOCAL_IP, at(0)).unwrap();
    drop(ann);
    assert!(chats.is_open("live", "a"));
    drop(bob);
    assert!(!chats.is_open("live", "a"));
    assert!(chats.enter(("live", "b"), 3, LOCAL_IP, at(0)).is_some());
}

#[test]
fn a_chat_ends_even_if_its_last_people_leave_at_once() {
    let chats = chats(1, 2);
    for _ in 0..200 {
        let enter = |id| chats.enter(("live", "a"), id, LOCAL_IP, at(0)).unwrap();
        let both = std::sync::Barrier::new(2);
        std::thread::scope(|scope| {
            for member in [enter(1), enter(2)] {
                let both = &both;
                scope.spawn(move || {
                    both.wait();
                    drop(member);
                });
            }
        });
        assert!(!chats.is_open("live", "a"));
    }
}

#[test]
fn more_connections_of_a_person_have_one_allowance() {
    let chats = chats(1, 5);
    let afar: IpAddr = "192.0.2.5".parse().unwrap();
    let enter = |id, address| chats.enter(("live", "a"), id, address, at(0)).unwrap();
    let _other = enter(1, LOCAL_IP);
    let mut first = enter(2, afar);
    for _ in 0..MAX_BURST_MESSAGES {
        assert_eq!(first.say(&line("x"), at(0)), Ok(()));
    }
    drop(first);
    let (mut second, mut third) = (enter(3, afar), enter(4, afar));
    assert_eq!(second.say(&line("x"), at(0)), Err(PostRefusal::TooFast));
    assert_eq!(second.say(&line("x"), at(9_000)), Ok(()));
    let slow = Duration::from_secs(10);
    chats.set_rules(ChatRules { slow, ..ChatRules::default() });
    assert_eq!(third.say(&line("x"), at(9_000)), Err(PostRefusal::Slow(slow)));
}

#[test]
fn people_behind_a_proxy_on_this_computer_do_not_wait_for_each_other() {
    let chats = chats(1, 5);
    let slow = Duration::from_secs(10);
    chats.set_rules(ChatRules { slow, ..ChatRules::default() });
    let enter = |id| chats.enter(("live", "a"), id, LOCAL_IP, at(0)).unwrap();
    let named = |name| ChatLine::new(name, "hi").unwrap();
    let mut ann = enter(1);
    assert_eq!(ann.say(&named("ann"), at(0)), Ok(()));
    let mut bob = enter(2);
    assert_eq!(bob.say(&named("bob"), at(0)), Ok(()));
    assert_eq!(enter(3).say(&named("bob"), at(0)), Err(PostRefusal::Slow(slow)));
    assert_eq!(ann.say(&named("eve"), at(0)), Err(PostRefusal::Slow(slow)), "another name");
}

#[test]
fn too_much_at_once_is_not_passed_on() {
    let chats = chats(1, 2);
    let mut seat = chats.enter(("live", "a"), 1, LOCAL_IP, at(0)).unwrap();
    let line = ChatLine::new("", "x").unwrap();
    let passed = |seat: &mut ChatMember, millis| seat.say(&line, at(millis)).is_ok();
    let passed_on: Vec<_> = (0..7).map(|_| passed(&mut seat, 5_000)).collect();
    assert_eq!(passed_on, [true, true, true, true, true, false, false]);
    assert!(!passed(&mut seat, 5_900));
    assert!(passed(&mut seat, 6_000));
    assert!(!passed(&mut seat, 6_500));
    // After a long silence, the allowance is only one burst.
    let passed_on = (0..9).filter(|_| passed(&mut seat, 999_000)).count();
    assert_eq!(passed_on, MAX_BURST_MESSAGES as usize);
}

#[test]
fn the_past_is_bounded() {
    let chats = chats(1, 2);
    let mut seat = chats.enter(("live", "a"), 1, LOCAL_IP, at(0)).unwrap();
    for number in 0..MAX_STORED_MESSAGES + 5 {
        let line = ChatLine::new("", &number.to_string()).unwrap();
        seat.say(&line, at(number as i64 * 2_000)).unwrap();
    }
    let late = chats.enter(("live", "a"), 2, LOCAL_IP, at(0)).unwrap();
    assert_eq!(late.past.len(), MAX_EARLIER_MESSAGES);
    assert_eq!(text(&late.past[0]), (MAX_STORED_MESSAGES + 5 - MAX_EARLIER_MESSAGES).to_string());
    assert_eq!(chats.posts("live", "a").unwrap().len(), MAX_STORED_MESSAGES);
}

#[test]
fn a_deleted_message_is_gone_for_those_who_are_there_and_who_come() {
    let chats = chats(1, 3);
    let mut ann = chats.enter(("live", "a"), 1, LOCAL_IP, at(0)).unwrap();
    for text in ["one", "two"] {
        ann.say(&line(text), at(0)).unwrap();
    }
    let posts = chats.posts("live", "a").unwrap();
    assert_eq!(posts.iter().map(|post| post.from).collect::<Vec<_>>(), [1, 1]);
    got(&mut ann);
    assert!(chats.delete("live", "a", &[posts[0].id, 999]));
    assert!(!chats.delete("live", "b", &[1]), "there is no such chat");
    let deleted = ChatFrame::Deleted(vec![posts[0].id]);
    let got = got(&mut ann);
    assert_eq!(got, std::slice::from_ref(&deleted), "one of the future is not deleted");
    let late = chats.enter(("live", "a"), 2, LOCAL_IP, at(0)).unwrap();
    let past: Vec<_> = late.past.iter().map(|it| ChatFrame::from_json(it).unwrap()).collect();
    assert_eq!(past, [ChatFrame::Post(posts[1].clone()), deleted.clone()]);
    assert_eq!(late.missed(), [deleted], "for who lagged behind");
    // The memory is bounded, and holds as many messages as the room.
    for _ in 0..5 {
        chats.delete("live", "a", &vec![posts[1].id; MAX_DELETED_MESSAGES]);
    }
    let missed = ChatFrame::Deleted(vec![posts[1].id; MAX_DELETED_MESSAGES]);
    assert_eq!(late.missed(), vec![missed; MAX_STORED_MESSAGES / MAX_DELETED_MESSAGES]);
}

#[test]
fn the_lines_of_a_muted_person_reach_nobody_until_the_person_is_unmuted() {
    let chats = chats(1, 5);
    let mut ann = chats.enter(("live", "a"), 1, LOCAL_IP, at(0)).unwrap();
    let afar: IpAddr = "192.0.2.5".parse().unwrap();
    let mut eve = chats.enter(("live", "a"), 2, afar, at(0)).unwrap();
    assert_eq!(chats.mute("live", "a", 2), Err(NotMuted::Unknown), "who that is");
    eve.say(&ChatLine::new("eve", "spam").unwrap(), at(0)).unwrap();
    ann.say(&line("hi"), at(0)).unwrap();
    assert_eq!(chats.mute("live", "a", 2), Ok(()));
    assert!(matches!(got(&mut ann).last(), Some(ChatFrame::Deleted(ids)) if ids.len() == 1));
    let left: Vec<_> = chats.posts("live", "a").unwrap();
    assert_eq!(left.iter().map(|post| post.line.text.as_str()).collect::<Vec<_>>(), ["hi"]);
    assert_eq!(eve.say(&line("again"), at(1_000)), Err(PostRefusal::Muted));
    drop(eve);
    let mut again = chats.enter(("live", "a"), 3, afar, at(0)).unwrap();
    assert_eq!(again.say(&line("again"), at(1_000)), Err(PostRefusal::Muted), "came back");
    let muted = MutedPerson { id: 2, name: "eve".to_owned() };
    assert_eq!(chats.muted("live", "a"), [muted]);
    assert!(chats.unmute("live", "a", 2));
    assert_eq!(again.say(&line("again"), at(2_000)), Ok(()));
}

#[test]
fn nobody_mutes_the_streamer_or_a_moderator() {
    let chats = chats(1, 5);
    let join = |id| chats.enter(("live", "a"), id, LOCAL_IP, at(0)).unwrap();
    let mut ann = join(1).with_role(ChatRole::Streamer);
    let mut bob = join(2).with_role(ChatRole::Moderator);
    ann.say(&line("hi"), at(0)).unwrap();
    bob.say(&line("hi"), at(0)).unwrap();
    for id in [1, 2] {
        assert_eq!(chats.mute("live", "a", id), Err(NotMuted::Staff));
    }
    assert!(chats.muted("live", "a").is_empty());
    assert_eq!(chats.posts("live", "a").unwrap().len(), 2, "their messages stay");
}

#[test]
fn slow_mode_counts_for_each_person_and_survives_a_new_connection() {
    let chats = chats(1, 5);
    let mut ann = chats.enter(("live", "a"), 1, LOCAL_IP, at(0)).unwrap();
    let afar: IpAddr = "192.0.2.5".parse().unwrap();
    let mut bob = chats.enter(("live", "a"), 2, afar, at(0)).unwrap();
    chats.set_rules(ChatRules { slow: Duration::from_secs(10), ..ChatRules::default() });
    assert_eq!(got(&mut ann), [ChatFrame::Slow(10)], "everybody learns of it");
    ann.say(&line("one"), at(1_000)).unwrap();
    bob.say(&line("two"), at(2_000)).unwrap();
    let slow = |seconds| Err(PostRefusal::Slow(Duration::from_secs(seconds)));
    assert_eq!(ann.say(&line("three"), at(3_000)), slow(8));
    let kim = chats.enter(("live", "a"), 4, afar, at(0)).unwrap();
    kim.with_role(ChatRole::Streamer).announce(ChatLine::new("kim", "hi").unwrap());
    drop(bob);
    let mut bob = chats.enter(("live", "a"), 3, afar, at(0)).unwrap();
    assert_eq!(bob.past.last().map(|it| ChatFrame::from_json(it)), Some(Some(ChatFrame::Slow(10))));
    assert_eq!(bob.say(&line("four"), at(4_000)), slow(8));
    assert_eq!(ann.say(&line("five"), at(11_000)), Ok(()));
    ann.announce(line("six"));
    chats.set_rules(ChatRules::default());
    assert_eq!(ann.say(&line("seven"), at(12_000)), Ok(()));
}

#[test]
fn blocked_words_are_not_passed_on_in_texts_and_names() {
    let words = crate::wire::chat::blocked_words::BlockedWords::new(["spoiler"]);
    let chats = Chats::new(1, 2, ChatRules { words, ..ChatRules::default() }, 1);
    let mut ann = chats.enter(("live", "a"), 1, LOCAL_IP, at(0)).unwrap();
    assert_eq!(ann.say(&line("a SPOILER"), at(0)), Err(PostRefusal::Blocked));
    let named = ChatLine::new("Spoiler-Bot", "hi").unwrap();
    assert_eq!(ann.say(&named, at(0)), Err(PostRefusal::Blocked));
    assert_eq!(ann.say(&line("fine"), at(0)), Ok(()));
    assert_eq!(chats.posts("live", "a").unwrap().len(), 1);
}
