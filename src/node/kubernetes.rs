//! A machine of a Kubernetes cluster, by what its kubelet and its cloud say of it: the instance type tells the CPU, the kernel and
//! the operating system tell pages and second instruction sets.

use crate::base::{Platform, escape};
use crate::format::kube::ClusterNode;

use super::profiles::{instance_type, system};
use super::spec::siblings;
use super::{Family, Level, Node, Property, profiles};

pub(super) fn node(object: &ClusterNode) -> Node {
    let label = |names: &[&str]| names.iter().find_map(|name| object.meta.label(name));
    let os = object.operating_system.as_deref().or(label(&["kubernetes.io/os", "beta.kubernetes.io/os"])).unwrap_or("linux");
    let architecture = object.architecture.as_deref().or(label(&["kubernetes.io/arch", "beta.kubernetes.io/arch"]));
    let platform = Platform { os: os.into(), ..Platform::linux(architecture.unwrap_or_default(), None) }.normalised();
    let machine = label(&["node.kubernetes.io/instance-type", "beta.kubernetes.io/instance-type"]).and_then(named);
    // What the machine says of itself comes before what a label says of it.
    let machine = machine.filter(|machine| machine.platform.architecture == platform.architecture && platform.os == "linux");
    let knows_cpu = machine.is_some();
    let mut node = machine.unwrap_or_else(|| Node::plain(&platform));
    node.name = escape(&object.meta.name).to_string();
    let kernel = object.kernel_version.as_deref().unwrap_or_default();
    node.kernel = kernel.parse().unwrap_or(node.kernel);
    if let Some(level) = discovered(object).filter(|level| node.level.is_none_or(|own| own < *level)) {
        node.level = Some(level);
        node.unsure.remove(&Property::Level);
    }
    of_system(&mut node, kernel, object.os_image.as_deref().unwrap_or_default(), knows_cpu);
    node
}

fn named(name: &str) -> Option<Node> {
    instance_type(&name.to_lowercase()).or_else(|| profiles::find(name))
}

/// What its kernel does, whatever its CPU could.
fn of_system(node: &mut Node, kernel: &str, os_image: &str, knows_cpu: bool) {
    let Some(row) = system(&node.platform.architecture, kernel, os_image) else { return };
    let name = match (os_image, kernel) {
        ("", "") => "a node that says nothing of its kernel".to_owned(),
        _ => format!("{} with kernel {}", escape(os_image), escape(kernel)),
    };
    if let Some(size) = row.page_size {
        node.page_size = size;
    }
    node.unsure.remove(&Property::PageSize);
    let cpu_can = !node.compat.is_empty();
    match row.compat32 {
        Some(false) => node.compat.clear(),
        // Only where the CPU can, too.
        Some(true) if !knows_cpu => node.compat.extend(siblings(&node.platform)),
        _ => {}
    }
    if row.compat32 == Some(false) {
        node.unsure.remove(&Property::Compat32);
    }
    for property in &row.unsure {
        // A CPU that cannot needs no kernel that does not.
        if *property != Property::Compat32 || cpu_can {
            row.doubt(node, *property, &name);
        }
    }
    if node.platform.architecture == "arm64" && !knows_cpu && !node.compat.is_empty() {
        let why = "its instance type is not known, and not every 64-bit Arm CPU has the 32-bit instruction set".to_owned();
        node.unsure.entry(Property::Compat32).or_insert(why);
    }
}

/// The level of an x86 CPU as Node Feature Discovery labels it; it leaves out what every CPU has, and so these stand for a level.
fn discovered(object: &ClusterNode) -> Option<Level> {
    let has = |name: &str| object.meta.label(&format!("feature.node.kubernetes.io/cpu-cpuid.{name}")) == Some("true");
    let step = if ["AVX512F", "AVX512BW", "AVX512CD", "AVX512DQ", "AVX512VL"].iter().all(|name| has(name)) {
        4
    } else if has("AVX2") && has("FMA3") {
        3
    } else {
        return None;
    };
    Some(Level::new(Family::X86, step))
}

#[cfg(test)]
mod tests {
    use crate::node::Node;

    fn shown(architecture: &str, instance: &str, kernel: &str, os: &str) -> String {
        let text = format!(
            "{{apiVersion: v1, kind: Node, metadata: {{name: n, labels: {{node.kubernetes.io/instance-type: '{instance}'}}}}, \
             status: {{nodeInfo: {{architecture: {architecture}, operatingSystem: linux, kernelVersion: '{kernel}', osImage: '{os}'}}}}}}"
        );
        let node = Node::read(&text).unwrap().remove(0);
        let level = node.level.map_or("-".into(), |level| level.to_string());
        let compat = if node.compat.is_empty() { "no32" } else { "32" };
        let unsure: Vec<String> = node.unsure.keys().map(|property| format!(" {property:?}?")).collect();
        format!("{} {level} {compat} {}k {}{}", node.platform, node.page_size >> 10, node.kernel, unsure.concat())
    }

    #[test]
    fn the_type_tells_the_cpu_and_the_kernel_the_rest() {
        for (architecture, instance, kernel, os, expected) in [
            ("arm64", "m7g.large", "6.1.0-18-cloud-arm64", "Debian GNU/Linux 12 (bookworm)", "linux/arm64 Armv8.4 32 4k 6.1"),
            ("arm64", "m8g.large", "6.1.0-18-cloud-arm64", "Debian GNU/Linux 12 (bookworm)", "linux/arm64 Armv9.0 no32 4k 6.1"),
            (
                "arm64",
                "m7g.large",
                "5.14.0-427.el9_4.aarch64+64k",
                "Red Hat Enterprise Linux 9.4",
                "linux/arm64 Armv8.4 no32 64k 5.14",
            ),
            (
                "arm64",
                "m7g.large",
                "5.14.0-427.el9_4.aarch64",
                "Red Hat Enterprise Linux 9.4",
                "linux/arm64 Armv8.4 no32 4k 5.14 Compat32?",
            ),
            (
                "arm64",
                "m8g.large",
                "5.14.0-427.el9_4.aarch64",
                "Red Hat Enterprise Linux 9.4",
                "linux/arm64 Armv9.0 no32 4k 5.14",
            ),
            ("arm64", "k3s", "6.6.31+rpt-rpi-2712", "Debian GNU/Linux 12 (bookworm)", "linux/arm64 - 32 16k 6.6 Compat32?"),
            ("arm64", "", "6.11.8-400.asahi.fc41.aarch64+16k", "Fedora Linux Asahi Remix 41", "linux/arm64 - no32 16k 6.11"),
            ("arm64", "", "", "", "linux/arm64 - 32 4k 6.12 PageSize? Compat32?"),
            ("amd64", "e2-medium", "6.1.100+", "Ubuntu 24.04 LTS", "linux/amd64 x86-64-v3 32 4k 6.1 Level?"),
            ("amd64", "m7g.large", "6.1.100+", "Ubuntu 24.04 LTS", "linux/amd64 - 32 4k 6.1"),
            ("arm", "", "6.1.21-v7+", "Raspbian GNU/Linux 11", "linux/arm/v7 Armv7 no32 4k 6.1"),
            ("ppc64le", "", "5.14.0-70.el9.ppc64le", "Red Hat Enterprise Linux 9", "linux/ppc64le - no32 64k 5.14"),
        ] {
            let is = shown(architecture, instance, kernel, os);
            let sorted = |text: &str| {
                let mut words: Vec<String> = text.split(' ').map(ToOwned::to_owned).collect();
                words.sort();
                words
            };
            assert_eq!(sorted(&is), sorted(expected), "{instance} {kernel}: {is}");
        }
    }

    #[test]
    fn features_that_were_discovered_tell_the_level() {
        let text = "apiVersion: v1\nkind: Node\nmetadata:\n  name: n\n  labels:\n    kubernetes.io/arch: amd64\n    \
                    feature.node.kubernetes.io/cpu-cpuid.AVX2: 'true'\n    feature.node.kubernetes.io/cpu-cpuid.FMA3: 'true'\n";
        let node = Node::read(text).unwrap().remove(0);
        assert_eq!(node.level.unwrap().to_string(), "x86-64-v3");
    }
}
