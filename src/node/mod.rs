//! What a machine can run.

mod architecture;
mod compat;
mod file;
mod handler;
mod host;
mod kubernetes;
mod level;
mod matching;
mod naming;
mod profiles;
mod property;
mod spec;

use std::collections::{BTreeMap, BTreeSet};

pub use architecture::{Code, agree, aliases, all_aliases, native_code, sibling_code};
pub use compat::Compat;
pub use handler::{Handler, Matching};
pub use level::{Family, Level};
pub use matching::{preference, select};
pub use property::Property;
pub use spec::NodeError;

use crate::base::{KernelVersion, Platform};
use crate::format::elf::TinyProgram;
use crate::format::kube::ClusterNode;
use crate::store::{Host, Probe};

/// A machine, as far as it decides what can be executed on it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// As the user named it.
    pub name: String,
    /// What its container runtime says it is.
    pub platform: Platform,
    /// Bytes of a memory page.
    pub page_size: u64,
    /// The kernel's version; [`KernelVersion::UNKNOWN`] where nothing is known of it.
    pub kernel: KernelVersion,
    /// Which programs of smaller word size the kernel and the CPU run besides their own.
    pub compat: BTreeSet<Compat>,
    /// What its CPU can do at least; `None` where nothing is said of it, so that nothing is held against it.
    pub level: Option<Level>,
    /// Emulators registered with binfmt_misc; the first that matches is used.
    pub handlers: Vec<Handler>,
    /// What of this is not certain, and why: what hangs on it cannot be told.
    pub unsure: BTreeMap<Property, String>,
}

impl Node {
    /// A plain node of `platform`: the usual kernel, page size and compat of that architecture, no emulators.
    pub fn plain(platform: &Platform) -> Self {
        let platform = platform.normalised();
        let (page_size, compat): (u64, &[Compat]) = match platform.architecture.as_str() {
            "amd64" => (4 << 10, &[Compat::I386]),
            // Whether the CPU has AArch32 differs; a plain node is one that has it.
            "arm64" => (4 << 10, &[Compat::Arm]),
            "ppc64" => (64 << 10, &[Compat::Ppc]),
            "ppc64le" => (64 << 10, &[]),
            "loong64" => (16 << 10, &[]),
            "mips64" | "mips64le" => (16 << 10, &[Compat::O32, Compat::N32]),
            _ => (4 << 10, &[]),
        };
        Self {
            name: platform.to_string(),
            page_size,
            kernel: KernelVersion(6, 12),
            compat: compat.iter().copied().collect(),
            level: Level::of(&platform),
            handlers: Vec::new(),
            unsure: BTreeMap::new(),
            platform,
        }
    }

    /// A plain node of the architecture of the machine that this runs on.
    pub fn host() -> Self {
        Self::plain(&Platform::linux(spec::host_architecture(), None))
    }

    /// Reads a node's specification: `linux/arm64`, `aarch64`, `host`, or a machine of `rules/data/nodes.toml` such as `m8g.large`;
    /// each perhaps narrowed: `amd64,compat32=no`, `arm64,page-size=16k,binfmt=amd64,kernel=6.12`.
    ///
    /// # Errors
    /// Neither a platform nor a machine that is known, or an unknown setting.
    pub fn parse(text: &str) -> Result<Self, NodeError> {
        spec::parse(text)
    }

    /// The same node with settings in the place of what is known of it: `page-size=64k,compat32=no`.
    ///
    /// # Errors
    /// An unknown setting.
    pub fn narrowed(self, settings: &str) -> Result<Self, NodeError> {
        spec::narrowed(self, settings)
    }

    /// The machine that tells this of itself; with what its kernel was seen to start, if that was tried.
    ///
    /// # Errors
    /// An architecture of which nothing is known here.
    pub fn of_host(host: &Host, probed: &[(TinyProgram, Probe)]) -> Result<Self, NodeError> {
        host::node(host, probed)
    }

    /// A machine of a Kubernetes cluster, as far as it tells of itself.
    pub fn of_kubernetes(node: &ClusterNode) -> Self {
        kubernetes::node(node)
    }

    /// Reads a file of nodes: what `enoexec node` prints, in TOML or JSON, or what `kubectl get node -o json` or `-o yaml` prints.
    ///
    /// # Errors
    /// It is none, or says what is not understood.
    pub fn read(text: &str) -> Result<Vec<Self>, NodeError> {
        file::read(text)
    }

    /// A node file, for `--node`: TOML.
    pub fn to_toml(&self) -> String {
        file::to_toml(self)
    }

    /// A node file, for `--node`: JSON.
    pub fn to_json(&self) -> String {
        file::to_json(self)
    }

    /// What `uname -m` prints there (`arch/*/kernel/`, `UTS_MACHINE`); `None` where that depends on more than the platform.
    pub fn uname(&self) -> Option<&'static str> {
        Some(match (self.platform.architecture.as_str(), self.platform.normalised().variant.as_deref()) {
            ("amd64", _) => "x86_64",
            ("386", _) => "i686",
            ("arm64", _) => "aarch64",
            ("arm", Some("v6")) => "armv6l",
            ("arm", Some("v7") | None) => "armv7l",
            ("ppc64le", _) => "ppc64le",
            ("ppc64", _) => "ppc64",
            ("s390x", _) => "s390x",
            ("riscv64", _) => "riscv64",
            ("loong64", _) => "loongarch64",
            ("mips64" | "mips64le", _) => "mips64",
            ("mips" | "mipsle", _) => "mips",
            _ => return None,
        })
    }

    /// What is held for true of a property, in a few words.
    pub fn says(&self, property: Property) -> String {
        match (property, self.level) {
            (Property::Compat32, _) if self.compat.is_empty() => "it runs no 32-bit programs".to_owned(),
            (Property::Compat32, _) => "it runs 32-bit programs too".to_owned(),
            (Property::Level, Some(level)) => format!("its CPU is {level} at least"),
            (Property::Level, None) => "its CPU has its architecture's baseline".to_owned(),
            (Property::PageSize, _) => format!("its pages are {} KiB", self.page_size >> 10),
        }
    }

    /// Whether its kernel is older than `version`; one of which nothing is known is not.
    pub fn has_older_kernel(&self, version: KernelVersion) -> bool {
        self.kernel != KernelVersion::UNKNOWN && self.kernel < version
    }

    /// The instruction set of the node's own programs; `None` for an architecture that is not known here.
    pub fn code(&self) -> Option<Code> {
        native_code(&self.platform)
    }
}
