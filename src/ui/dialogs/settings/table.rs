//! The table of all settings in the window, with one line for each: its page and its name. The
//! pages, the search and the palette read this table.

use crate::ui::style::icons::Icon;
use crate::ui::text::Texts;

/// Defines the table: pages with their icons, and settings with their names. The text of a setting
/// is `setting-NAME`, and its explanation is `setting-NAME-note`. The text of a page is
/// `settings-page-NAME`.
macro_rules! settings {
    ($($page:ident $page_name:literal $icon:ident { $($variant:ident $name:literal;)* })*) => {
        /// A page of the settings dialog.
        #[derive(Copy, Clone, Debug, PartialEq, Eq)]
        pub enum SettingsPage {
            $($page,)*
        }

        impl SettingsPage {
            /// All pages in display order.
            pub const ALL: &[Self] = &[$(Self::$page,)*];

            /// Returns the text key for the name of the page.
            pub fn key(self) -> &'static str {
                match self {
                    $(Self::$page => concat!("settings-page-", $page_name),)*
                }
            }

            pub fn icon(self) -> Icon {
                match self {
                    $(Self::$page => Icon::$icon,)*
                }
            }
        }

        /// One setting.
        #[derive(Copy, Clone, Debug, PartialEq, Eq)]
        pub enum Setting {
            $($($variant,)*)*
        }

        impl Setting {
            /// All settings in the order of their pages.
            pub const ALL: &[Self] = &[$($(Self::$variant,)*)*];

            /// Returns the page of the setting.
            pub fn page(self) -> SettingsPage {
                match self {
                    $($(Self::$variant => SettingsPage::$page,)*)*
                }
            }

            /// Returns the text key for the name of the setting.
            pub fn key(self) -> &'static str {
                match self {
                    $($(Self::$variant => concat!("setting-", $name),)*)*
                }
            }

            /// Returns the text key for the explanation.
            pub fn note(self) -> &'static str {
                match self {
                    $($(Self::$variant => concat!("setting-", $name, "-note"),)*)*
                }
            }
        }
    };
}

settings! {
    General "general" Gear {
        Language "language";
        Theme "theme";
        Scale "scale";
        Motion "motion";
        Meter "meter";
    }
    Video "video" Screen {
        Size "size";
        Rate "rate";
        Bitrate "bitrate";
        CameraSource "camera-source";
        CameraSize "camera-size";
        CameraMirrored "camera-mirrored";
    }
    Audio "audio" Microphone {
        Monitoring "monitoring";
        PushToTalk "push-to-talk";
    }
    Output "output" Broadcast {
        Aim "aim";
        Codec "codec";
        Encoder "encoder";
        EncoderPreset "preset";
        RateControl "rate-control";
        BFrames "b-frames";
        LookAhead "look-ahead";
        Adaptation "adaptation";
        Keyframes "keyframes";
        AudioFormat "audio-format";
        Delay "delay";
    }
    Recording "recording" Film {
        Folder "folder";
        Format "format";
        FileName "file-name";
        Split "split";
        RecordEncoder "record-encoder";
        RecordQuality "record-quality";
        RecordSize "record-size";
        Replay "replay";
        ReplayAlways "replay-always";
        Tracks "tracks";
    }
    Hotkeys "hotkeys" Keyboard {
        Hotkeys "hotkeys";
    }
    Rules "rules" Scene {
        Rules "rules";
    }
    Network "network" Stream {
        Services "services";
        ServerNames "server-names";
        ServerOrigins "server-origins";
        ServerCertificate "server-certificate";
        ServerDomains "server-domains";
        SrtPassphrase "srt-passphrase";
        YouTubeKey "youtube-key";
        Successor "successor";
    }
    RemoteControl "remote-control" External {
        RemoteControl "remote-control";
        RemotePort "remote-port";
        RemoteNetwork "remote-network";
        RemotePassword "remote-password";
        RemoteClients "remote-clients";
    }
    About "about" Info {
        Renderer "renderer";
        Keys "keys";
        Version "version";
    }
}

impl Setting {
    /// Returns true if all words of `query` occur in the name, the explanation or the page name of
    /// the setting, in any of these languages.
    pub fn fits(self, languages: &[&Texts], query: &str) -> bool {
        let all: Vec<_> = languages
            .iter()
            .flat_map(|texts| {
                [self.key(), self.note(), self.page().key()].map(|key| texts.get(key))
            })
            .collect();
        let text = all.join(" ").to_lowercase();
        query.to_lowercase().split_whitespace().all(|word| text.contains(word))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ui::text::Language;

    #[test]
    fn every_setting_is_explained_and_found_in_both_languages() {
        let (english, chinese) = (Texts::new(Language::English), Texts::new(Language::Chinese));
        for texts in [&english, &chinese] {
            let pages = SettingsPage::ALL.iter().map(|page| page.key());
            let settings = Setting::ALL.iter().flat_map(|it| [it.key(), it.note()]);
            for key in pages.chain(settings) {
                assert!(texts.has(key) && *texts.get(key) != *key, "{key}");
            }
        }
        for page in SettingsPage::ALL {
            assert!(Setting::ALL.iter().any(|setting| setting.page() == *page), "{page:?}");
        }
        let both = [&english, &chinese];
        for query in ["interface size", "界面 大小", "MOTION", "动画"] {
            assert!(Setting::ALL.iter().any(|setting| setting.fits(&both, query)), "{query}");
        }
        assert!(!Setting::Theme.fits(&both, "bitrate"));
    }
}
