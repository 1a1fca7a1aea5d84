//! How a node is written on the command line.

use crate::base::{Platform, escape};

use super::{Compat, Handler, Level, Node, Property, native_code, profiles};

/// Why a text is no node.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct NodeError(pub(super) String);

const SETTINGS: &str = "kernel-bits=32, page-size=4k|16k|64k, compat32=yes|no, compat=NAME+NAME, kernel=MAJOR.MINOR, level=v2|v8.2|power9|z14|rva22, binfmt=ARCHITECTURE|:NAME:M:OFFSET:MAGIC:MASK:EMULATOR:FLAGS, emulator-loader=PATH";

pub(super) fn parse(text: &str) -> Result<Node, NodeError> {
    let (name, settings) = text.split_once(',').map_or((text, None), |(name, settings)| (name, Some(settings)));
    let node = named(name)?;
    match settings {
        Some(settings) => Ok(Node { name: escape(text).to_string(), ..narrowed(node, settings)? }),
        None => Ok(node),
    }
}

/// A node with settings (`page-size=64k,compat32=no`) in the place of what is known of it; they become part of its name.
pub(super) fn narrowed(mut node: Node, settings: &str) -> Result<Node, NodeError> {
    for setting in settings.split(',') {
        let (key, value) = setting.split_once('=').unwrap_or((setting, ""));
        apply(&mut node, key, value)?;
    }
    node.name = format!("{},{}", node.name, escape(settings));
    Ok(node)
}

/// A plain node of an architecture or a platform, or a machine that is known by its name.
fn named(name: &str) -> Result<Node, NodeError> {
    let platform = platform(name).ok().map(|platform| Node::plain(&platform));
    let is_node = |node: &Node| native_code(&node.platform).is_some() && node.platform.os == "linux";
    let machine = || Some(Node { name: escape(name).to_string(), ..profiles::find(name)? });
    platform.filter(is_node).or_else(machine).ok_or_else(|| {
        let close = profiles::proposals(name);
        let meant = if close.is_empty() { String::new() } else { format!(" (close names: {})", close.join(", ")) };
        NodeError(format!(
            "no node `{}`{meant}: expected an architecture such as amd64 or arm64, a platform such as linux/arm/v7, `host`, or a \
             CPU, board or instance type such as graviton3, raspberry-pi-5, m8g.large",
            escape(name)
        ))
    })
}

pub(super) fn platform(name: &str) -> Result<Platform, NodeError> {
    let name = if name == "host" { host_architecture() } else { name };
    let platform: Platform = name.parse().map_err(|error| NodeError(format!("{error}")))?;
    Ok(match platform.architecture.as_str() {
        // Names that people and kernels use and container platforms do not know.
        "ppc64el" | "powerpc64le" => Platform { architecture: "ppc64le".into(), ..platform },
        "mips64el" => Platform { architecture: "mips64le".into(), ..platform },
        "loongarch64" => Platform { architecture: "loong64".into(), ..platform },
        "x86" | "i686" | "i586" => Platform { architecture: "386".into(), ..platform },
        _ => platform,
    })
}

/// Go's name, or one that [`Platform::normalised`] turns into it.
pub(super) fn host_architecture() -> &'static str {
    match std::env::consts::ARCH {
        "powerpc64" if cfg!(target_endian = "little") => "ppc64le",
        "powerpc64" => "ppc64",
        "x86" => "386",
        "loongarch64" => "loong64",
        "mips64" if cfg!(target_endian = "little") => "mips64le",
        "mips" if cfg!(target_endian = "little") => "mipsle",
        other => other,
    }
}

fn apply(node: &mut Node, key: &str, value: &str) -> Result<(), NodeError> {
    let bad = || NodeError(format!("`{}={}` is not a setting of a node: expected {SETTINGS}", escape(key), escape(value)));
    match (key, value) {
        ("kernel-bits", "32") => narrow(node).ok_or_else(bad)?,
        ("page-size", size) => node.page_size = page_size(size).ok_or_else(bad)?,
        ("compat32", "no") => node.compat.clear(),
        ("compat32", "yes") => node.compat.extend(siblings(&node.platform)),
        ("compat", names) => node.compat = names.split('+').map(Compat::named).collect::<Option<_>>().ok_or_else(bad)?,
        ("level", text) => node.level = Some(Level::parse(&node.platform, text).ok_or_else(bad)?),
        ("kernel", version) => node.kernel = version.parse().map_err(|_| bad())?,
        // Of the handler that was named last.
        ("emulator-loader", path) if path.starts_with('/') => {
            node.handlers.first_mut().ok_or_else(bad)?.loader = Some(path.as_bytes().to_vec());
        }
        ("binfmt", line) if line.starts_with(':') => node.handlers.insert(0, handler(line).ok_or_else(bad)?),
        ("binfmt", architectures) => {
            for architecture in architectures.split('+') {
                // What is registered last is asked first.
                node.handlers.insert(0, handler(architecture).ok_or_else(bad)?);
            }
        }
        _ => return Err(bad()),
    }
    let settled = match key {
        "compat32" | "compat" => Some(Property::Compat32),
        "level" => Some(Property::Level),
        "page-size" => Some(Property::PageSize),
        _ => None,
    };
    settled.and_then(|property| node.unsure.remove(&property));
    Ok(())
}

/// The same machine with a 32-bit kernel, as older systems for Raspberry Pis and PCs have.
fn narrow(node: &mut Node) -> Option<()> {
    let platform = match node.platform.architecture.as_str() {
        "arm64" if node.compat.contains(&Compat::Arm) => Platform::linux("arm", Some("v7")),
        "amd64" => Platform::linux("386", None),
        _ => return None,
    };
    *node = Node { kernel: node.kernel, name: std::mem::take(&mut node.name), ..Node::plain(&platform) };
    Some(())
}

fn page_size(text: &str) -> Option<u64> {
    match text.to_ascii_lowercase().as_str() {
        "4k" | "4096" => Some(4 << 10),
        "16k" | "16384" => Some(16 << 10),
        "64k" | "65536" => Some(64 << 10),
        _ => None,
    }
}

pub(super) fn siblings(platform: &Platform) -> &'static [Compat] {
    match platform.architecture.as_str() {
        "amd64" => &[Compat::I386],
        "arm64" => &[Compat::Arm],
        "ppc64" => &[Compat::Ppc],
        "s390x" => &[Compat::S390],
        "mips64" | "mips64le" => &[Compat::O32, Compat::N32],
        "riscv64" => &[Compat::Riscv32],
        _ => &[],
    }
}

/// qemu's handler by the architecture's name, or any by the line that registers it.
fn handler(text: &str) -> Option<Handler> {
    if text.starts_with(':') {
        return Handler::registered(text.as_bytes());
    }
    Some(Handler::qemu(text, native_code(&platform(text).ok()?)?))
}

#[cfg(test)]
mod tests {
    use crate::base::KernelVersion;
    use crate::node::{Compat, Node};

    #[test]
    fn a_plain_name_is_a_plain_node() {
        for (text, platform) in [
            ("arm64", "linux/arm64"),
            ("x86_64", "linux/amd64"),
            ("linux/arm/v6", "linux/arm/v6"),
            ("armhf", "linux/arm/v7"),
            ("ppc64el", "linux/ppc64le"),
        ] {
            assert_eq!(Node::parse(text).unwrap().platform.to_string(), platform, "{text}");
        }
        assert!(Node::parse("host").is_ok());
    }

    #[test]
    fn settings_narrow_it() {
        let node = Node::parse("arm64,page-size=16k,compat32=no,kernel=6.1,binfmt=amd64+s390x").unwrap();
        assert_eq!((node.page_size, node.kernel), (16384, KernelVersion(6, 1)));
        assert!(node.compat.is_empty());
        let names: Vec<&str> = node.handlers.iter().map(|handler| handler.name.as_str()).collect();
        assert_eq!(names, ["qemu-s390x", "qemu-x86_64"]);
        assert!(Node::parse("riscv64,compat32=yes").unwrap().compat.contains(&Compat::Riscv32));
    }

    #[test]
    fn nonsense_is_refused_with_what_is_known() {
        for text in [
            "",
            "vax",
            "windows/amd64",
            "arm64,",
            "arm64,page-size=3k",
            "apple-m1,kernel-bits=32",
            "amd64,color=red",
            "arm64,binfmt=vax",
        ] {
            let error = Node::parse(text).unwrap_err().to_string();
            assert!(error.contains("expected"), "{text}: {error}");
        }
    }

    #[test]
    fn a_machine_is_narrowed_too_and_a_setting_ends_the_doubt() {
        let node = Node::parse("raspberry-pi-4,kernel-bits=32").unwrap();
        assert_eq!((node.platform.to_string(), node.name.as_str()), ("linux/arm/v7".into(), "raspberry-pi-4,kernel-bits=32"));
        assert!(!Node::parse("raspberry-pi-5").unwrap().unsure.is_empty());
        let node = Node::parse("raspberry-pi-5,page-size=4k").unwrap();
        assert_eq!((node.page_size, node.unsure.len()), (4096, 0));
        let error = Node::parse("m8q.large").unwrap_err().to_string();
        assert!(error.contains("close names: "), "{error}");
    }

    #[test]
    fn an_emulator_takes_programs_of_its_machine_only() {
        let node = Node::parse("arm64,binfmt=amd64").unwrap();
        let header = |machine: u8, kind: u8, abi: u8| {
            let mut header = [0x7f, b'E', b'L', b'F', 2, 1, 1, abi, 0, 0, 0, 0, 0, 0, 0, 0, kind, 0, machine, 0];
            header[17] = 0;
            node.handlers[0].matches(&header, b"/x")
        };
        assert!(header(62, 2, 0) && header(62, 3, 3));
        assert!(!header(183, 2, 0) && !header(62, 1, 0));
        assert!(!node.handlers[0].matches(b"\x7fELF", b"/x"));
    }
}
