//! The seam: what Python calls, and how it gets bytes in and out. The only module that knows it.
//!
//! Every call that takes long lets go of the interpreter's lock.

use crate::backtest::{Backtest, DeadLetter, Line};
use crate::facts::customer::Slot;
use crate::facts::instant::Instant;
use crate::handed::{Definitions, Shop};
use crate::rules::explain::Explainer;
use crate::rules::fact::NoCuts;
use crate::rules::shop::Rules;
use crate::summary::summary;
use crate::wire::change::ChangeWriter;
use crate::wire::event::{Data, Event, Refused};
use crate::wire::lines::lines;
use crate::wire::pack::Unreadable;
use crate::wire::record::{RecordCodec, Traces};
use crate::wire::rows::{HOT, Stored, TRACES, changed, load, store_anew};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::pybacked::PyBackedBytes;
use pyo3::types::{PyBytes, PyDict};
use std::cell::Cell;
use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Mutex, MutexGuard, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// Events of one block of lines, decoded.
#[pyclass(frozen, module = "app._engine")]
struct Decoded {
    events: Mutex<Vec<(Event, Line)>>,
    refused: Vec<(Refused, Line)>,
    lines: u64,
}

#[pymethods]
impl Decoded {
    /// How many lines were read that say something.
    #[getter]
    fn lines(&self) -> u64 {
        self.lines
    }
}

/// Decode the lines of a block of NDJSON that ends with a line; the first is number `first`.
#[pyfunction]
fn decode(py: Python<'_>, block: &[u8], file: u32, first: u64) -> PyResult<Decoded> {
    py.detach(|| {
        guarded(
            || format!("line {first} of file {file} or behind it"),
            || {
                let (mut events, mut refused) = (Vec::new(), Vec::new());
                for (number, text) in lines(block, first) {
                    let line = Line { file, number };
                    match crate::wire::event::decode(Some(text), None, &[], false) {
                        Ok(event) => events.push((event, line)),
                        Err(why) => refused.push((why, line)),
                    }
                }
                let lines = (events.len() + refused.len()) as u64;
                Decoded { events: Mutex::new(events), refused, lines }
            },
        )
    })
}

/// All customers of one shop in memory, and the events that wait for them.
#[pyclass(frozen, name = "Backtest", module = "app._engine")]
struct PyBacktest {
    backtest: RwLock<Backtest>,
    /// Latest first, so that the next is taken from the end.
    waiting: Mutex<Vec<(Event, Line)>>,
    refused: Mutex<Vec<(Refused, Line)>>,
    writer: ChangeWriter,
    explainer: Explainer,
}

#[pymethods]
impl PyBacktest {
    /// `definitions` and `shop` are JSON, `starts` the day starts as 64-bit integers; `latest` is
    /// the latest time that an event may have.
    #[new]
    #[pyo3(signature = (definitions, shop, starts, latest=None))]
    fn new(
        definitions: &[u8],
        shop: &[u8],
        starts: &[u8],
        latest: Option<Instant>,
    ) -> PyResult<Self> {
        let definitions = Definitions::read(definitions).map_err(PyValueError::new_err)?;
        let shop = Shop::read(shop, starts).map_err(PyValueError::new_err)?;
        let rules = shop.rules(definitions).map_err(PyValueError::new_err)?;
        Ok(Self {
            writer: ChangeWriter::new(&rules),
            explainer: Explainer::new(&rules),
            backtest: RwLock::new(Backtest::new(rules, latest)),
            waiting: Mutex::default(),
            refused: Mutex::default(),
        })
    }

    /// Take decoded events; they are applied once `sort` was called.
    fn take(&self, decoded: &Decoded) {
        locked(&self.waiting).append(&mut locked(&decoded.events));
        locked(&self.refused).extend(decoded.refused.iter().cloned());
    }

    /// Put what was taken in order: by time, then topic, then as it stands. Gives how many wait.
    fn sort(&self, py: Python<'_>) -> usize {
        py.detach(|| {
            let mut waiting = locked(&self.waiting);
            waiting.sort_by_key(|(event, line)| {
                (event.time, topic_order(&event.data), line.file, line.number)
            });
            waiting.reverse();
            waiting.len()
        })
    }

    /// Apply up to so many events in order; gives how many still wait.
    fn fold(&self, py: Python<'_>, most: usize) -> PyResult<usize> {
        py.detach(|| {
            let at = Cell::new(Line { file: 0, number: 0 });
            let place = || format!("line {} of file {}", at.get().number, at.get().file);
            guarded(place, || {
                let (mut backtest, mut waiting) = (writing(&self.backtest), locked(&self.waiting));
                let rest = waiting.len().saturating_sub(most);
                for (event, line) in waiting.drain(rest..).rev() {
                    at.set(line);
                    backtest.apply(&event, line);
                }
                rest
            })
        })
    }

    /// Evaluate everything due by the clock, moved on to `until` (microseconds).
    fn finish(&self, py: Python<'_>, until: Option<i64>) -> PyResult<()> {
        py.detach(|| {
            guarded(
                || "the end of the events".to_owned(),
                || {
                    let mut backtest = writing(&self.backtest);
                    backtest.finish(until);
                },
            )
        })
    }

    /// The clock, in microseconds.
    #[getter]
    fn clock(&self) -> Option<i64> {
        reading(&self.backtest).clock()
    }

    /// How many events were applied before.
    #[getter]
    fn repeated(&self) -> u64 {
        reading(&self.backtest).repeated()
    }

    /// How many events concerned nobody any more.
    #[getter]
    fn dropped(&self) -> u64 {
        reading(&self.backtest).dropped()
    }

    /// How many stage changes there are.
    #[getter]
    fn change_count(&self) -> usize {
        reading(&self.backtest).changes().len()
    }

    /// The stage changes from one to another, in order, one a line.
    fn changes<'py>(&self, py: Python<'py>, first: usize, end: usize) -> Bound<'py, PyBytes> {
        let text = py.detach(|| {
            let backtest = reading(&self.backtest);
            let mut out = Vec::new();
            for change in backtest.changes().iter().take(end).skip(first) {
                self.writer.push(backtest.rules(), change, &mut out);
                out.push(b'\n');
            }
            out
        });
        PyBytes::new(py, &text)
    }

    /// How many customers have a record.
    #[getter]
    fn customer_count(&self) -> usize {
        reading(&self.backtest).customers().len()
    }

    /// The customers from one to another by id, as the API gives them as of the clock.
    fn customers<'py>(&self, py: Python<'py>, first: usize, end: usize) -> Bound<'py, PyBytes> {
        let text = py.detach(|| {
            let backtest = reading(&self.backtest);
            let (rules, cutter) = (backtest.rules(), backtest.cutter());
            let now = backtest.clock().unwrap_or(0);
            let mut out = Vec::new();
            for (id, c) in backtest.customers().take(end).skip(first) {
                self.explainer.push(rules, (id, id), c, now, cutter, &mut out);
                out.push(b'\n');
            }
            out
        });
        PyBytes::new(py, &text)
    }

    /// What was refused, by file and line: reason, message, number of the file, line.
    fn dead_letters(&self) -> Vec<(&'static str, String, u32, u64)> {
        let backtest = reading(&self.backtest);
        let refused = locked(&self.refused);
        let mut letters: Vec<(&Refused, Line)> = backtest
            .letters()
            .iter()
            .map(|DeadLetter { refused, line }| (refused, *line))
            .collect();
        letters.extend(refused.iter().map(|(why, line)| (why, *line)));
        letters.sort_by_key(|(_, line)| (line.file, line.number));
        let told = |(why, line): (&Refused, Line)| {
            (why.reason.name(), why.message.clone(), line.file, line.number)
        };
        letters.into_iter().map(told).collect()
    }

    /// Customers and moves by ladder and rung, as JSON.
    fn summary<'py>(&self, py: Python<'py>) -> Bound<'py, PyBytes> {
        let text = py.detach(|| summary(&reading(&self.backtest)));
        PyBytes::new(py, &text)
    }
}

/// Stored rows by key, as Python holds them.
type Held = HashMap<Vec<u8>, PyBackedBytes>;

/// Reads and writes stored rows: for tools and tests, one customer at a time.
#[pyclass(frozen, name = "Records", module = "app._engine")]
struct PyRecords {
    rules: Rules,
    codec: RecordCodec,
    explainer: Explainer,
}

#[pymethods]
impl PyRecords {
    /// `definitions` and `shop` are JSON, `starts` the day starts as 64-bit integers.
    #[new]
    fn new(definitions: &[u8], shop: &[u8], starts: &[u8]) -> PyResult<Self> {
        let definitions = Definitions::read(definitions).map_err(PyValueError::new_err)?;
        let shop = Shop::read(shop, starts).map_err(PyValueError::new_err)?;
        let rules = shop.rules(definitions).map_err(PyValueError::new_err)?;
        Ok(Self {
            codec: RecordCodec::new(&rules).map_err(PyValueError::new_err)?,
            explainer: Explainer::new(&rules),
            rules,
        })
    }

    /// What the API gives of a customer by rows of any version that is read; None of who has no
    /// record. There are no cuts of top spenders.
    fn describe<'py>(
        &self,
        py: Python<'py>,
        id: &str,
        rows: Held,
        now: Instant,
    ) -> PyResult<Option<Bound<'py, PyBytes>>> {
        let slot = self.read(id, &rows)?.0;
        let Some(c) = slot.customer() else { return Ok(None) };
        let text = guarded(
            || format!("customer {id}"),
            || {
                let mut out = Vec::new();
                self.explainer.push(&self.rules, (id, id), c, now, &NoCuts, &mut out);
                out
            },
        )?;
        Ok(Some(PyBytes::new(py, &text)))
    }

    /// All rows as this version writes them.
    fn upgrade<'py>(&self, py: Python<'py>, rows: Held) -> PyResult<Bound<'py, PyDict>> {
        let written = PyDict::new(py);
        let of_kind = |kind| rows.iter().filter(move |(key, _)| key.first() == Some(&kind));
        for (key, row) in of_kind(TRACES) {
            let row = Traces::read(row).map_err(|why| unreadable("an erasure or a merge", why))?;
            written.set_item(PyBytes::new(py, key), PyBytes::new(py, &row.row()))?;
        }
        for (key, _) in of_kind(HOT) {
            let id = std::str::from_utf8(&key[1..]).map_err(|why| {
                PyValueError::new_err(format!("the key of a row is not UTF-8: {why}"))
            })?;
            let (mut slot, mut stored) = self.read(id, &rows)?;
            store_anew(&mut slot, &mut stored);
            for (key, row) in changed(&self.codec, &self.rules, &mut slot, &mut stored) {
                if let Some(row) = row {
                    written.set_item(PyBytes::new(py, &key), PyBytes::new(py, &row))?;
                }
            }
        }
        Ok(written)
    }
}

impl PyRecords {
    fn read(&self, id: &str, rows: &Held) -> PyResult<(Slot, Stored)> {
        load(&self.codec, id, |key| rows.get(key)).map_err(|why| unreadable(id, why))
    }
}

fn unreadable(what: &str, why: Unreadable) -> PyErr {
    PyValueError::new_err(format!("what is stored of {what} cannot be read: {}", why.0))
}

/// The place of an event's default topic among the input topics (contract section 1).
fn topic_order(data: &Data) -> usize {
    const FAMILIES: [&str; 7] =
        ["purchase", "signup", "review", "referral", "interaction", "profile", "clock"];
    let family = data.kind().split('.').next();
    FAMILIES.iter().position(|&known| Some(known) == family).unwrap_or(FAMILIES.len())
}

/// Turn a panic into an exception that names what was at work.
///
/// Whatever was being changed lies behind a lock that is taken inside `work`. The panic poisons it,
/// so nobody can go on with what is half applied.
fn guarded<T>(place: impl FnOnce() -> String, work: impl FnOnce() -> T) -> PyResult<T> {
    catch_unwind(AssertUnwindSafe(work)).map_err(|panic| {
        let words = panic.downcast_ref::<String>().map(String::as_str);
        let words = words.or_else(|| panic.downcast_ref::<&str>().copied());
        PyRuntimeError::new_err(format!(
            "the engine failed at {}: {}; this is a defect, please report it",
            place(),
            words.unwrap_or("it does not say why"),
        ))
    })
}

const POISONED: &str = "the engine failed before, and what it left is not to be used";

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().expect(POISONED)
}

fn reading<T>(lock: &RwLock<T>) -> RwLockReadGuard<'_, T> {
    lock.read().expect(POISONED)
}

fn writing<T>(lock: &RwLock<T>) -> RwLockWriteGuard<'_, T> {
    lock.write().expect(POISONED)
}

/// The engine of Loyalty Ladder.
#[pymodule]
fn _engine(module: &Bound<'_, PyModule>) -> PyResult<()> {
    module.add_class::<Decoded>()?;
    module.add_class::<PyBacktest>()?;
    module.add_class::<PyRecords>()?;
    module.add_function(wrap_pyfunction!(decode, module)?)
}
