//! The log as a table, one row for each song that was shown: for data frames and for training. CSV, Parquet, or JSON
//! lines; the columns are the same in all three.

use std::io::{self, Write};
use std::sync::Arc;

use parquet::data_type::{BoolType, ByteArray, ByteArrayType, FloatType, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::{SerializedFileWriter, SerializedRowGroupWriter};
use parquet::schema::parser::parse_message_type;
use serde_json::{Map, Value, json};

use super::event::Shown;
use super::log::Row;
use super::opinion::Verdict;

/// Rows written to Parquet together.
const ROW_GROUP: usize = 20_000;

/// What a column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Type {
    Text,
    Int,
    Float,
    Flag,
}

const COLUMNS: [(&str, Type); 29] = [
    ("impression", Type::Text),
    ("time_ms", Type::Int),
    ("platform", Type::Text),
    ("community", Type::Text),
    ("user", Type::Text),
    ("language", Type::Text),
    ("model_version", Type::Text),
    ("catalogue_version", Type::Text),
    ("config_version", Type::Text),
    ("is_sure", Type::Flag),
    ("answer_ms", Type::Int),
    ("may_train", Type::Flag),
    ("tags", Type::Text),
    ("embedding", Type::Text),
    ("position", Type::Int),
    ("song_id", Type::Text),
    ("score", Type::Float),
    ("propensity", Type::Float),
    ("n_up", Type::Int),
    ("n_down", Type::Int),
    ("n_links", Type::Int),
    ("n_more", Type::Int),
    ("n_why", Type::Int),
    ("is_deleted", Type::Flag),
    ("level", Type::Text),
    // How chance made the slate: 0, false, nothing and -1 where it had no part.
    ("temperature", Type::Float),
    ("protects_first", Type::Flag),
    ("pool", Type::Text),
    ("pool_idx", Type::Int),
];

/// A value of a row.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Cell {
    Text(String),
    Int(i64),
    Float(f32),
    Flag(bool),
}

/// The rows of an answer. Without `names_people` the columns `community` and `user` are empty.
pub(super) fn rows(row: &Row, names_people: bool) -> impl Iterator<Item = Vec<Cell>> {
    row.impression.slate.iter().map(move |shown| cells(row, shown, names_people))
}

fn cells(row: &Row, shown: &Shown, names_people: bool) -> Vec<Cell> {
    let impression = &row.impression;
    let songs = row.state.songs.iter().filter(|((position, _), _)| *position == shown.position);
    let (mut n_up, mut n_down, mut n_links) = (0, 0, 0);
    for (_, song) in songs {
        match song.opinion.verdict() {
            Some(Verdict::Up) => n_up += 1,
            Some(Verdict::Down) => n_down += 1,
            None => {}
        }
        n_links += song.links.values().map(|n| i64::from(*n)).sum::<i64>();
    }
    let hashed = |text: String| if names_people { text } else { String::new() };
    let tags: Vec<String> = impression.tags.iter().map(|tag| format!("{}:{}", tag.tag, tag.prob)).collect();
    let embedding = impression.embedding.iter().flatten().map(f32::to_string).collect::<Vec<_>>();
    let text = |text: &str| Cell::Text(text.to_owned());
    let lottery = impression.lottery.as_ref();
    let pool = lottery.map_or_else(Vec::new, |lottery| lottery.pool.iter().map(f32::to_string).collect());
    let place = lottery.and_then(|lottery| lottery.places.get(usize::from(shown.position)));
    vec![
        Cell::Text(impression.id.to_text()),
        Cell::Int(impression.time.0 as i64),
        text(impression.platform.name()),
        Cell::Text(hashed(impression.community.to_text())),
        Cell::Text(hashed(impression.user.to_text())),
        text(&impression.language),
        text(&impression.model_version),
        text(&impression.catalogue_version),
        text(&impression.config_version),
        Cell::Flag(impression.is_sure),
        Cell::Int(impression.answer_ms.into()),
        Cell::Flag(impression.may_train),
        Cell::Text(tags.join(" ")),
        Cell::Text(embedding.join(" ")),
        Cell::Int(shown.position.into()),
        text(&shown.song_id),
        Cell::Float(shown.score),
        Cell::Float(shown.propensity),
        Cell::Int(n_up),
        Cell::Int(n_down),
        Cell::Int(n_links),
        Cell::Int(row.state.n_more.into()),
        Cell::Int(row.state.n_why.into()),
        Cell::Flag(row.state.is_deleted),
        text("training"),
        Cell::Float(lottery.map_or(0.0, |lottery| lottery.temperature)),
        Cell::Flag(lottery.is_some_and(|lottery| lottery.protects_first)),
        Cell::Text(pool.join(" ")),
        Cell::Int(place.map_or(-1, |place| i64::from(*place))),
    ]
}

/// A row as a JSON object.
pub(super) fn to_json(cells: Vec<Cell>) -> Value {
    let value = |cell| match cell {
        Cell::Text(text) => Value::from(text),
        Cell::Int(number) => Value::from(number),
        Cell::Float(number) => json!(number),
        Cell::Flag(flag) => Value::from(flag),
    };
    let named = COLUMNS.iter().zip(cells).map(|((name, _), cell)| ((*name).to_owned(), value(cell)));
    Value::Object(named.collect::<Map<_, _>>())
}

/// Writes the names of the columns.
pub(super) fn write_csv_head(out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{}", COLUMNS.map(|(name, _)| name).join(","))
}

/// Writes a row as RFC 4180 has it.
pub(super) fn write_csv_row(out: &mut impl Write, cells: &[Cell]) -> io::Result<()> {
    for (idx, cell) in cells.iter().enumerate() {
        if idx > 0 {
            out.write_all(b",")?;
        }
        match cell {
            Cell::Text(text) if text.contains([',', '"', '\n', '\r']) => {
                write!(out, "\"{}\"", text.replace('"', "\"\""))?;
            }
            Cell::Text(text) => out.write_all(text.as_bytes())?,
            Cell::Int(number) => write!(out, "{number}")?,
            Cell::Float(number) => write!(out, "{number}")?,
            Cell::Flag(flag) => write!(out, "{flag}")?,
        }
    }
    out.write_all(b"\n")
}

/// Writes rows as Parquet.
pub(super) struct ParquetTable<W: Write + Send> {
    writer: SerializedFileWriter<W>,
    rows: Vec<Vec<Cell>>,
}

impl<W: Write + Send> ParquetTable<W> {
    /// Begins a file.
    pub(super) fn new(out: W) -> Result<Self, ParquetError> {
        let column = |(name, of): &(&str, Type)| match of {
            Type::Text => format!("REQUIRED BYTE_ARRAY {name} (STRING);"),
            Type::Int => format!("REQUIRED INT64 {name};"),
            Type::Float => format!("REQUIRED FLOAT {name};"),
            Type::Flag => format!("REQUIRED BOOLEAN {name};"),
        };
        let columns: String = COLUMNS.iter().map(column).collect();
        let schema = parse_message_type(&format!("message shown {{ {columns} }}"))?;
        let writer = SerializedFileWriter::new(out, Arc::new(schema), Arc::new(WriterProperties::default()))?;
        Ok(Self { writer, rows: Vec::new() })
    }

    /// Adds a row.
    pub(super) fn push(&mut self, cells: Vec<Cell>) -> Result<(), ParquetError> {
        self.rows.push(cells);
        if self.rows.len() < ROW_GROUP { Ok(()) } else { self.write_group() }
    }

    /// Ends the file.
    pub(super) fn finish(mut self) -> Result<(), ParquetError> {
        if !self.rows.is_empty() {
            self.write_group()?;
        }
        self.writer.close().map(|_| ())
    }

    fn write_group(&mut self) -> Result<(), ParquetError> {
        let rows = std::mem::take(&mut self.rows);
        let mut group = self.writer.next_row_group()?;
        for (idx, (_, of)) in COLUMNS.iter().enumerate() {
            write_column(&mut group, *of, rows.iter().filter_map(|cells| cells.get(idx)))?;
        }
        group.close().map(|_| ())
    }
}

fn write_column<'a, W: Write + Send>(
    group: &mut SerializedRowGroupWriter<'_, W>,
    of: Type,
    cells: impl Iterator<Item = &'a Cell>,
) -> Result<(), ParquetError> {
    let Some(mut column) = group.next_column()? else {
        return Err(ParquetError::General("the schema has fewer columns than the table".to_owned()));
    };
    match of {
        Type::Text => {
            let text =
                |cell: &Cell| if let Cell::Text(text) = cell { Some(ByteArray::from(text.as_str())) } else { None };
            let values: Vec<ByteArray> = cells.filter_map(text).collect();
            column.typed::<ByteArrayType>().write_batch(&values, None, None)?;
        }
        Type::Int => {
            let values: Vec<i64> =
                cells.filter_map(|cell| if let Cell::Int(value) = cell { Some(*value) } else { None }).collect();
            column.typed::<Int64Type>().write_batch(&values, None, None)?;
        }
        Type::Float => {
            let values: Vec<f32> =
                cells.filter_map(|cell| if let Cell::Float(value) = cell { Some(*value) } else { None }).collect();
            column.typed::<FloatType>().write_batch(&values, None, None)?;
        }
        Type::Flag => {
            let values: Vec<bool> =
                cells.filter_map(|cell| if let Cell::Flag(value) = cell { Some(*value) } else { None }).collect();
            column.typed::<BoolType>().write_batch(&values, None, None)?;
        }
    }
    column.close()
}
