//! Groups of notices that are withdrawn together, and notices that end others, from the table of notices.

use std::sync::LazyLock;

use crate::studio::notices::Notice;
use crate::studio::notices::message::{is_alarm, rows};
use crate::studio::notices::row::{Group, Row};

impl Group {
    /// Returns the keys of the notices in the group.
    pub fn keys(self) -> &'static [&'static str] {
        static KEYS: LazyLock<Vec<(Group, Vec<&'static str>)>> = LazyLock::new(|| {
            let mut groups: Vec<(Group, Vec<&'static str>)> = Vec::new();
            for row in rows() {
                for group in row.groups {
                    match groups.iter_mut().find(|(it, _)| it == group) {
                        Some((_, keys)) => keys.extend(row.keys),
                        None => groups.push((*group, row.keys.to_vec())),
                    }
                }
            }
            groups
        });
        KEYS.iter().find(|(it, _)| *it == self).map_or(&[], |(_, keys)| keys)
    }
}

/// Returns true if a notice with this key ends others.
pub fn is_end(key: &str) -> bool {
    rows().any(|row| row.ended_by.contains(&key))
}

/// Returns true if `end` ends the problem of the earlier notice `begun`.
pub fn ends(end: &Notice, begun: &Notice) -> bool {
    let of_target = end.target.is_none() || end.target == begun.target;
    of_target
        && row_of(begun.key()).is_some_and(|row| {
            row.ended_by.contains(&end.key()) && end.value(row.subject) == begun.value(row.subject)
        })
}

/// Returns true if a notice with this key is about what viewers get, or about the recording. Alarms of
/// sources are also about this. Other notices concern only the operator.
pub fn is_about_program(key: &str) -> bool {
    let is_about = |row: &Row| row.groups.iter().any(|group| group.is_about_program());
    row_of(key).is_some_and(is_about) || is_alarm(key)
}

fn row_of(key: &str) -> Option<&'static Row> {
    rows().find(|row| row.keys.contains(&key))
}

/// The notice about a strip that could not be added, which is withdrawn once there is space.
pub const NO_STRIP_NOTICE: &str = "scene-no-strip";

/// The notice about a scene with too many layers, which is withdrawn once the scene has fewer.
pub const CROWDED_SCENE_NOTICE: &str = "scene-crowded";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::studio::notices::message::StudioMessage;

    #[test]
    fn a_notice_ends_the_problems_of_its_subject_only() {
        let back = |host: &str| {
            StudioMessage::TargetBack {
                id: 1,
                host: host.into(),
                server: "same".into(),
                seconds: "2.5".into(),
                frames: "none".into(),
            }
            .notice(1, "")
        };
        let busy = |id: u32, host: &str| {
            let mut notice = back(host);
            notice.problem = crate::text::problem::problem!("target-busy", host = host);
            notice.target = Some(id);
            notice
        };
        assert!(ends(&back("a:1935"), &busy(1, "a:1935")));
        assert!(!ends(&back("a:1935"), &busy(1, "b:1935")), "another host");
        assert!(!ends(&back("a:1935"), &busy(2, "a:1935")), "another target on the same host");
        assert!(!ends(&busy(1, "a:1935"), &busy(1, "a:1935")), "a problem ends nothing");
        assert!(is_end("target-back") && !is_end("target-busy"));
    }

    #[test]
    fn an_export_that_succeeds_ends_one_that_failed() {
        let path = |name: &str| name.to_owned();
        let (done, reason) = (path("b.toml"), "the disk is full".into());
        let failed = StudioMessage::ScenesExportFailed { path: path("a.toml"), reason };
        let failed = failed.notice(1, "");
        assert!(ends(&StudioMessage::ScenesExported { path: done }.notice(2, ""), &failed));
        let (scenes, sources, strips) = ("1".into(), "1".into(), "0".into());
        let imported = StudioMessage::ScenesImported { scenes, sources, strips };
        assert!(!ends(&imported.notice(3, ""), &failed), "another task");
    }
}
