import { useEffect, useState } from 'react';
import { texts } from '../language/texts.ts';
import { Button } from '../look/button.tsx';
import { addDays, type Day, parseDay } from './day.ts';
import style from './day-picker.module.css';

interface Props {
  readonly day: Day;
  readonly onChange: (day: Day) => void;
}

/** Field for a day, between the buttons for the day before and the day after. */
export function DayPicker({ day, onChange }: Props) {
  // The text differs from the day while the user types a year digit by digit.
  const [text, setText] = useState(day);
  useEffect(() => setText(day), [day]);
  const type = (typed: string) => {
    setText(typed);
    const next = parseDay(typed);
    if (next) onChange(next);
  };
  return (
    <div className={style.picker}>
      <Button aria-label={texts.calendar.previousDay} onPress={() => onChange(addDays(day, -1))}>
        <span aria-hidden>‹</span>
      </Button>
      <input
        type="date"
        aria-label={texts.calendar.day}
        required
        value={text}
        onChange={(event) => type(event.target.value)}
      />
      <Button aria-label={texts.calendar.nextDay} onPress={() => onChange(addDays(day, 1))}>
        <span aria-hidden>›</span>
      </Button>
    </div>
  );
}
