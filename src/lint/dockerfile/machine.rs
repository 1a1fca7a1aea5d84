//! What programs say of the machine that a stage's commands run on.

use super::naming;

/// The machine that a stage runs on, by Go's name of its architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Machine {
    pub(super) architecture: String,
}

impl Machine {
    fn called(&self, scheme: &str) -> Option<&'static str> {
        naming::name(scheme, &self.architecture)
    }

    /// What a command that asks for the machine prints, where it is one and the answer is known.
    pub(super) fn answer(&self, words: &[&str]) -> Option<String> {
        let answer = match words {
            ["uname", "-m" | "-i" | "--machine" | "--hardware-platform"] | ["arch"] => self.called("uname")?.to_owned(),
            ["uname"] | ["uname", "-s" | "--kernel-name"] => "Linux".to_owned(),
            ["uname", "-o" | "--operating-system"] => "GNU/Linux".to_owned(),
            ["uname", "-sm"] => format!("Linux {}", self.called("uname")?),
            ["dpkg", "--print-architecture"]
            | ["dpkg-architecture", "-qDEB_HOST_ARCH" | "-qDEB_BUILD_ARCH" | "-q" | "-qDEB_TARGET_ARCH"] => {
                self.called("debian")?.to_owned()
            }
            ["dpkg-architecture", "-q", "DEB_HOST_ARCH" | "DEB_BUILD_ARCH"] => self.called("debian")?.to_owned(),
            ["dpkg-architecture", "-qDEB_HOST_MULTIARCH" | "-qDEB_BUILD_MULTIARCH" | "-qDEB_TARGET_MULTIARCH"]
            | ["dpkg-architecture", "-q", "DEB_HOST_MULTIARCH" | "DEB_BUILD_MULTIARCH"] => self.called("multiarch")?.to_owned(),
            ["gcc" | "cc", "-dumpmachine" | "-print-multiarch"] => self.called("multiarch")?.to_owned(),
            ["dpkg-architecture", "-qDEB_HOST_GNU_CPU" | "-qDEB_BUILD_GNU_CPU"] => {
                self.called("multiarch")?.split('-').next()?.to_owned()
            }
            ["apk", "--print-arch"] => self.called("alpine")?.to_owned(),
            ["rpm", "--eval" | "-E", "%{_arch}" | "%_arch" | "%{_target_cpu}"] => self.called("uname")?.to_owned(),
            ["go", "env", "GOARCH" | "GOHOSTARCH"] => self.called("go")?.to_owned(),
            ["go", "env", "GOOS"] => "linux".to_owned(),
            ["getconf", "LONG_BIT"] => if matches!(self.architecture.as_str(), "arm" | "386") { "32" } else { "64" }.to_owned(),
            _ => return None,
        };
        Some(answer)
    }
}
