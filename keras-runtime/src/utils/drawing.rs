//! Graphviz' language as a picture, without Graphviz.

use layout::backends::svg::SVGWriter;
use layout::gv::{DotParser, GraphBuilder};

use crate::error::{Error, Result};

/// The SVG of a graph.
///
/// # Errors
/// If the graph cannot be read.
pub(super) fn svg(dot: &str) -> Result<String> {
    let graph = DotParser::new(dot).process().map_err(|error| {
        Error::value(format!("The graph of the model cannot be drawn: {error}"))
    })?;
    let mut builder = GraphBuilder::new();
    builder.visit_graph(&graph);
    let mut writer = SVGWriter::new();
    builder.get().do_it(false, false, false, &mut writer);
    Ok(writer.finalize())
}
