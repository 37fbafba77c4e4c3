"""One row, sent once: how it is sent, and what tollgate must have done with it."""

import itertools
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from random import Random

from rows import HIDDEN_MARK, ROW_MARK, good
from upstream import MARK
from wire import Wire

POSITIONS = ("alone", "in pieces", "after", "before")
PIECES_UP_TO = 4096  # bytes of a row; a larger one is sent whole only
WORKERS = 8
CLOSE_WITHIN = 1.0  # seconds from the first byte of the refusal to the connection's end
GATEWAY_PATIENCE = 6.0
PEER_PATIENCE = 2.5
PEER_GRACE = 0.1  # what a peer that keeps the connection may still say

numbers = itertools.count(1)


@dataclass
class Cell:
    """One row, sent once."""

    row: object
    position: str
    transport: str
    marks: dict = field(default_factory=dict)  # kind of mark -> the number it became
    answers: list = field(default_factory=list)  # to the row and what follows it
    first_good: object = None
    ended: bool = False
    closing: float = 0.0  # seconds
    reached: set = field(default_factory=set)  # kinds of marks that the upstream saw as heads of whole requests
    touched: bool = False  # or in anything else that it saw
    faults: list = field(default_factory=list)

    def new_mark(self, kind):
        self.marks[kind] = f"{kind}{next(numbers):09d}"
        return self.marks[kind].encode()


def send(cell, port, tls, is_gateway, patience):
    """Plays one cell. A peer may keep a connection that the gateway must close, so only the gateway is waited for."""
    row = cell.row
    raw = row.raw.replace(ROW_MARK, cell.new_mark("R")).replace(HIDDEN_MARK, cell.new_mark("S"))
    with Wire(port, tls if cell.transport == "tls" else None) as wire:
        if cell.position == "after":
            mark = cell.new_mark("G")
            wire.send(good(mark))
            wire.run(lambda: wire.answers, patience)
            if wire.ended or not wire.answers:
                cell.faults.append("the good request before the row was not answered")
                return
            cell.first_good = wire.answers.pop()
            wire.first_byte_at = None
        follow_up = good(cell.new_mark("G")) if cell.position == "before" else b""
        wire.send(raw + follow_up, piece_sizes(row) if cell.position == "in pieces" else None)
        expected = 2 if follow_up else 1
        if is_gateway and not (row.accept and not row.closes):
            wire.run(lambda: False, patience)
        else:
            wire.run(lambda: len(wire.answers) >= expected, patience)
            wire.run(lambda: False, 0.005 if is_gateway else PEER_GRACE)
        cell.answers, cell.ended = wire.answers, wire.ended
        if wire.ended and wire.first_byte_at is not None:
            cell.closing = wire.ended_at - wire.first_byte_at


def piece_sizes(row):
    """The same for each run of a row."""
    random = Random(row.name)
    while True:
        yield random.choice((1, 1, 2, 3, 5, 17))


def judge(cell):
    """What tollgate must do with the row; the faults go into the cell."""
    if not cell.marks:  # it was not sent, and says why
        return None
    row, fault = cell.row, cell.faults.append
    if (
        cell.position == "after"
        and cell.first_good
        and (cell.first_good.status, cell.first_good.mark) != (200, cell.marks["G"])
    ):
        fault(f"the good request before the row got {cell.first_good}")
    if row.accept:
        return judge_control(cell)
    if not cell.answers and not (row.silence and cell.ended):
        fault("no answer")
    for answer in cell.answers[:1]:
        if answer.status not in row.statuses:
            fault(f"status {answer.status} instead of {row.statuses}")
    if len(cell.answers) > 1:
        fault(f"answered beyond the refusal: {cell.answers[1:]}")
    if any(answer.mark for answer in cell.answers):
        fault("the upstream's answer came through")
    if not cell.ended:
        fault("the connection was left open")
    elif cell.closing > CLOSE_WITHIN:
        fault(f"closed only {cell.closing:.2f} s after the refusal")


def judge_control(cell):
    row, fault = cell.row, cell.faults.append
    wanted = [(row.statuses[0], "" if row.local else cell.marks["R"])]
    if cell.position == "before" and not row.closes:
        wanted.append((200, cell.marks["G"]))
    got = [(answer.status, answer.mark) for answer in cell.answers]
    if got != wanted:
        fault(f"answers {got} instead of {wanted}")
    if row.closes and not cell.ended:
        fault("the connection was left open")


def wanted_upstream(cell):
    """Marks of the requests that the upstream must have seen for this cell, each once."""
    wanted = []
    if not cell.marks:
        return wanted
    if cell.row.accept and not cell.row.local:
        wanted.append(cell.marks["R"])
    if cell.position == "after" or (cell.position == "before" and cell.row.accept and not cell.row.closes):
        wanted.append(cell.marks["G"])
    return wanted


def attribute(cells, arrived):
    """Writes into the cells what the upstream saw of them; returns what belongs to none."""
    owners = {mark: (cell, kind) for cell in cells for kind, mark in cell.marks.items()}
    strangers = []
    for each in arrived:
        marks = {each.mark} if each.mark in owners else {mark for mark in owners_in(each.raw) if mark in owners}
        if not marks:
            strangers.append(each)
        for mark in marks:
            cell, kind = owners[mark]
            if each.whole and mark == each.mark:
                cell.reached.add(kind)
            if kind != "G":
                cell.touched = True
    return strangers


def owners_in(raw):
    return {found.decode() for found in MARK.findall(raw)}


def play(cells, port_of, tls, is_gateway, patience, most_stuck=50):
    """Plays all cells. Where a gateway leaves many connections open, the rest would only wait, and fails unsent."""
    stuck = []

    def one(cell):
        if len(stuck) > most_stuck:
            cell.faults.append("not sent: too many rows before it were left open")
            return
        try:
            send(cell, port_of(cell), tls, is_gateway, patience)
        except (OSError, ValueError) as problem:
            cell.faults.append(f"{type(problem).__name__}: {problem}")
        if is_gateway and not cell.ended and (cell.row.closes or not cell.row.accept):
            stuck.append(cell)

    with ThreadPoolExecutor(WORKERS) as pool:
        list(pool.map(one, cells))


def cells_of(rows, transports, positions=POSITIONS):
    return [
        Cell(row, position, transport)
        for transport in transports
        for row in rows
        for position in positions
        if not (row.slow and position == "before")  # what follows would be the missing end
        and not (position == "in pieces" and len(row.raw) > PIECES_UP_TO)
    ]
