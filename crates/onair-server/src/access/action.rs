//! Actions of clients on streams.

use crate::base::named;

named! {
    /// The action that a client requests on a stream.
    #[derive(Copy, Clone, Debug, PartialEq, Eq, Hash)]
    pub enum Action {
        Publish = "publish",
        Play = "play",
    }
    /// Returns the name in tokens.
    fn name;
}
