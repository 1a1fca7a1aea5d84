//! Node files: what `enoexec node` prints and `--node FILE` reads; it reads what `kubectl get node -o json` prints too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::base::{KernelVersion, escape};
use crate::format::kube;

use super::{Compat, Handler, Level, Node, NodeError, Property, native_code};

/// A file of nodes. Fields are only ever added.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct NodeFile {
    node: Vec<NodeDocument>,
}

/// One node; what is left out is as on a plain node of its platform.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct NodeDocument {
    #[serde(skip_serializing_if = "Option::is_none")]
    name: Option<String>,
    /// `linux/arm64`.
    platform: String,
    /// `6.12`, or all that `uname -r` says.
    #[serde(skip_serializing_if = "Option::is_none")]
    kernel: Option<String>,
    /// Bytes.
    #[serde(skip_serializing_if = "Option::is_none")]
    page_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    level: Option<String>,
    /// `i386`, `arm`, …
    #[serde(skip_serializing_if = "Option::is_none")]
    compat: Option<Vec<String>>,
    /// Lines of `/proc/sys/fs/binfmt_misc/register`, the one that is asked first first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    binfmt: Vec<String>,
    /// What is not certain, and why.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    unsure: BTreeMap<Property, String>,
}

pub(super) fn read(text: &str) -> Result<Vec<Node>, NodeError> {
    // Kubernetes' objects say what they are.
    if text.contains("apiVersion") {
        return read_kubernetes(text);
    }
    let bad = |error: &dyn std::fmt::Display| NodeError(format!("not a node file: {}", escape(error.to_string().trim_end())));
    let file: NodeFile = if text.trim_start().starts_with('{') {
        serde_json::from_str(text).map_err(|error| bad(&error))?
    } else {
        toml::from_str(text).map_err(|error| bad(&error.message()))?
    };
    file.node.into_iter().map(node).collect()
}

fn read_kubernetes(text: &str) -> Result<Vec<Node>, NodeError> {
    let kube::Objects { objects, problem } = kube::objects(text);
    if let Some(problem) = problem {
        return Err(NodeError(format!("not a list of nodes: {}", escape(&problem.to_string()))));
    }
    let node = |object: kube::Object| if let kube::Object::Node(node) = object { Some(Node::of_kubernetes(&node)) } else { None };
    Ok(objects.into_iter().filter_map(node).collect())
}

fn node(document: NodeDocument) -> Result<Node, NodeError> {
    let bad = |field: &str, value: &str| NodeError(format!("not a node file: `{}` is no {field}", escape(value)));
    let platform = super::spec::platform(&document.platform).map_err(|_| bad("platform", &document.platform))?;
    let plain = Node::plain(&platform);
    if native_code(&plain.platform).is_none() || plain.platform.os != "linux" {
        return Err(bad("platform that is known here", &document.platform));
    }
    let level = |text: &String| Level::parse(&plain.platform, text).ok_or_else(|| bad("level of the platform", text));
    let kernel = |text: &String| text.parse::<KernelVersion>().map_err(|_| bad("kernel version", text));
    let compat = |name: &String| Compat::named(name).ok_or_else(|| bad("ABI", name));
    let handler = |line: &String| Handler::registered(line.as_bytes()).ok_or_else(|| bad("line that registers a handler", line));
    let page_size = document.page_size.unwrap_or(plain.page_size);
    if !page_size.is_power_of_two() || !(4 << 10..=64 << 10).contains(&page_size) {
        return Err(bad("size of a page", &page_size.to_string()));
    }
    Ok(Node {
        name: document.name.as_ref().map_or_else(|| plain.name.clone(), |name| escape(name).to_string()),
        page_size,
        kernel: document.kernel.as_ref().map_or(Ok(plain.kernel), kernel)?,
        compat: match &document.compat {
            Some(names) => names.iter().map(compat).collect::<Result<_, _>>()?,
            None => plain.compat,
        },
        level: document.level.as_ref().map(level).transpose()?.or(plain.level),
        handlers: document.binfmt.iter().map(handler).collect::<Result<_, _>>()?,
        unsure: document.unsure.into_iter().map(|(property, why)| (property, escape(&why).to_string())).collect(),
        platform: plain.platform,
    })
}

fn document(node: &Node) -> NodeFile {
    let document = NodeDocument {
        name: Some(node.name.clone()),
        platform: node.platform.to_string(),
        kernel: Some(node.kernel.to_string()),
        page_size: Some(node.page_size),
        level: node.level.map(|level| level.to_string()),
        compat: Some(node.compat.iter().map(|compat| compat.name().to_owned()).collect()),
        binfmt: node.handlers.iter().map(Handler::line).collect(),
        unsure: node.unsure.clone(),
    };
    NodeFile { node: vec![document] }
}

// A structure of texts and numbers is always written.
pub(super) fn to_toml(node: &Node) -> String {
    toml::to_string(&document(node)).unwrap_or_default()
}

pub(super) fn to_json(node: &Node) -> String {
    serde_json::to_string_pretty(&document(node)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::Node;

    #[test]
    fn a_node_survives_its_file() {
        for text in [
            "arm64",
            "amd64,level=v3,binfmt=arm64+s390x,compat=i386+x32",
            "m9g.large",
            "raspberry-pi-zero",
            "ppc64le,level=power9",
        ] {
            let node = Node::parse(text).unwrap();
            assert_eq!(Node::read(&node.to_toml()).unwrap(), std::slice::from_ref(&node), "{}", node.to_toml());
            assert_eq!(Node::read(&node.to_json()).unwrap(), [node]);
        }
    }

    #[test]
    fn what_is_left_out_is_as_on_a_plain_node() {
        let nodes =
            Node::read("[[node]]\nplatform = 'linux/arm64'\nkernel = '5.14.0-70.el9.aarch64+64k'\npage-size = 65536").unwrap();
        assert_eq!((nodes[0].page_size, nodes[0].kernel.to_string()), (65536, "5.14".into()));
        assert!(!nodes[0].compat.is_empty());
    }

    #[test]
    fn what_is_not_understood_is_said() {
        for (text, word) in [
            ("", "node"),
            ("[[node]]\nplatform = 'vax'", "vax"),
            ("[[node]]\nplatform = 'arm64'\ncolor = 1", "color"),
            ("[[node]]\nplatform = 'arm64'\npage-size = 3", "3"),
            ("{\"node\": [{\"platform\": \"arm64\", \"binfmt\": [\"x\"]}]}", "handler"),
        ] {
            let error = Node::read(text).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
        }
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in "\\PC{0,60}") {
            let _ = Node::read(&text);
        }
    }
}
