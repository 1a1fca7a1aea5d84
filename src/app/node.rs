//! `--node`, and `enoexec node`.

use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use crate::node::{Node, NodeError};
use crate::store;

use super::terminal::Terminal;
use super::{Exit, Failure};

/// A node as it is named on the command line.
#[derive(Debug, Clone)]
pub(super) enum NodeArgument {
    /// An architecture, a platform, or a machine that is known by its name.
    Known(Box<Node>),
    /// This machine, perhaps narrowed.
    Host(Option<String>),
    /// The nodes of a file, each perhaps narrowed.
    File(PathBuf, Option<String>),
}

impl NodeArgument {
    /// What is no known name is a file if there is one of that name, or if it is named like one.
    pub(super) fn parse(text: &str) -> Result<Self, NodeError> {
        let (name, settings) = text.split_once(',').map_or((text, None), |(name, settings)| (name, Some(settings.to_owned())));
        if name == "host" {
            return Ok(Self::Host(settings));
        }
        let path = Path::new(name);
        let is_named_so = path.extension().is_some_and(|end| ["toml", "json", "yaml", "yml"].iter().any(|own| end == *own));
        match Node::parse(text) {
            Ok(node) => Ok(Self::Known(Box::new(node))),
            Err(_) if name == "-" || is_named_so || path.is_file() => Ok(Self::File(path.to_owned(), settings)),
            Err(error) => Err(error),
        }
    }
}

/// The nodes that are meant: files are read, and the machine is asked.
pub(super) fn resolve(arguments: Vec<NodeArgument>) -> Result<Vec<Node>, Failure> {
    let mut nodes = Vec::new();
    for argument in arguments {
        let (found, settings) = match argument {
            NodeArgument::Known(node) => (vec![*node], None),
            NodeArgument::Host(settings) => (vec![host(false)?], settings),
            NodeArgument::File(path, settings) => (read(&path)?, settings),
        };
        let narrowed = |node: Node| settings.as_deref().map_or(Ok(node.clone()), |settings| node.narrowed(settings));
        let found: Result<Vec<Node>, NodeError> = found.into_iter().map(narrowed).collect();
        nodes.extend(found.map_err(|error| Failure::Usage(error.to_string()))?);
    }
    Ok(nodes)
}

fn read(path: &Path) -> Result<Vec<Node>, Failure> {
    let text = store::read_text(path).map_err(|error| Failure::Look(error.to_string()))?;
    let nodes = Node::read(&text).map_err(|error| Failure::Usage(format!("{}: {error}", path.display())))?;
    if nodes.is_empty() { Err(Failure::Usage(format!("{}: there is no node in it", path.display()))) } else { Ok(nodes) }
}

fn host(probe: bool) -> Result<Node, Failure> {
    let probed =
        if probe { store::probe().map_err(|error| Failure::Look(format!("cannot try programs: {error}")))? } else { Vec::new() };
    Node::of_host(&store::host(), &probed).map_err(|error| Failure::Look(error.to_string()))
}

/// `enoexec node`.
#[derive(Debug, Args)]
pub(super) struct NodeCommand {
    /// Also start a tiny program of each machine type, which only exits, to learn what really runs
    #[arg(long, env = "ENOEXEC_PROBE")]
    probe: bool,
    /// How to print it
    #[arg(long, value_enum, default_value = "toml", env = "ENOEXEC_NODE_FORMAT")]
    format: NodeFormat,
}

/// How to print a node.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum NodeFormat {
    /// For people and for --node.
    Toml,
    /// For programs and for --node.
    Json,
}

/// Prints this machine as a node file.
pub(super) fn run(arguments: &NodeCommand, terminal: &Terminal) -> Result<Exit, Failure> {
    let node = host(arguments.probe)?;
    let text = match arguments.format {
        NodeFormat::Toml => node.to_toml(),
        NodeFormat::Json => node.to_json() + "\n",
    };
    let mut out = BufWriter::new(terminal.stdout());
    out.write_all(text.as_bytes()).and_then(|()| out.flush()).or_else(super::broken_pipe)?;
    Ok(Exit::Clean)
}
