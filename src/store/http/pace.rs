//! How slow a sender may be.

use std::time::Duration;

/// A sender that gives less than this in the whole time for which it might also have been silent is no better than a silent one.
const LEAST: u64 = 16 << 10;

/// Tells a slow line, which is borne, from a sender that drips to hold its reader. Only the time spent waiting counts, so that
/// a reader that is itself slow does not take the sender to be.
#[derive(Debug, Clone)]
pub(in crate::store) struct Pace {
    window: Duration,
    waited: Duration,
    bytes: u64,
}

impl Pace {
    pub(in crate::store) fn new(window: Duration) -> Self {
        Self { window, waited: Duration::ZERO, bytes: 0 }
    }

    /// Takes note that `bytes` came after waiting so long; `false` if the sender is too slow.
    pub(in crate::store) fn bears(&mut self, waited: Duration, bytes: u64) -> bool {
        self.waited = self.waited.saturating_add(waited);
        self.bytes = self.bytes.saturating_add(bytes);
        if self.waited < self.window {
            return true;
        }
        let enough = self.bytes >= LEAST;
        (self.waited, self.bytes) = (Duration::ZERO, 0);
        enough
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::{LEAST, Pace};

    #[test]
    fn a_drip_is_not_borne_and_a_slow_line_is() {
        let mut drip = Pace::new(Duration::from_secs(30));
        assert!((0..29).all(|_| drip.bears(Duration::from_secs(1), 1)));
        assert!(!drip.bears(Duration::from_secs(1), 1));
        let mut modem = Pace::new(Duration::from_secs(30));
        assert!((0..1000).all(|_| modem.bears(Duration::from_secs(1), 1024)));
    }

    proptest! {
        /// However the bytes are cut up, a sender of less than the least in every window is given up after at most two.
        #[test]
        fn a_drip_ends(waits in proptest::collection::vec((1_u64..5000, 0..LEAST / 4096), 1..200)) {
            let window = Duration::from_secs(5);
            let mut pace = Pace::new(window);
            let mut waited = Duration::ZERO;
            for (wait, bytes) in waits.into_iter().filter(|(wait, bytes)| bytes * 5000 <= *wait) {
                waited += Duration::from_millis(wait);
                if !pace.bears(Duration::from_millis(wait), bytes) {
                    break;
                }
                prop_assert!(waited < window * 2);
            }
        }
    }
}
