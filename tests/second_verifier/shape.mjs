// Say whether a JSON value has a type of section 1.

const HEX32 = /^[0-9a-f]{64}$/;
const TIME = /^(\d{4})-(\d{2})-(\d{2})T(\d{2}):(\d{2}):(\d{2})\.(\d{6})Z$/;
const DAYS = [31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31];

export const isString = (value) => typeof value === 'string';
export const isText = (value) => typeof value === 'string' && value !== '';
export const isInteger = (value) => Number.isSafeInteger(value);
export const isIndex = (value) => Number.isSafeInteger(value) && value >= 0;
export const isHex32 = (value) => typeof value === 'string' && HEX32.test(value);
export const isArray = Array.isArray;
export const isObject = (value) =>
  value !== null && typeof value === 'object' && !Array.isArray(value);
export const isProof = (value) => isArray(value) && value.length <= 64 && value.every(isHex32);
export const isTime = (value) => isString(value) && microseconds(value) !== null;

export const orNull = (test) => (value) => value === null || test(value);
export const exactly = (wanted) => (value) => value === wanted;
export const oneOf = (...wanted) => (value) => wanted.includes(value);

export function has(value, members) {
  return isObject(value) && Object.entries(members).every(([name, test]) => name in value && test(value[name]));
}

export function hasExactly(value, members) {
  return has(value, members) && Object.keys(value).length === Object.keys(members).length;
}

export function ascends(values, compare) {
  return values.every((value, i) => i === 0 || compare(values[i - 1], value) < 0);
}

const isLeap = (year) => (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;

/** Return the microseconds since 1970 of a Time, or null when there is no such moment. */
export function microseconds(text) {
  const found = TIME.exec(text);
  if (!found) return null;
  const [year, month, day, hour, minute, second, micro] = found.slice(1).map(Number);
  const days = month >= 1 && month <= 12 ? DAYS[month - 1] + (month === 2 && isLeap(year) ? 1 : 0) : 0;
  if (year < 1 || day < 1 || day > days || hour > 23 || minute > 59 || second > 59) return null;
  const moment = new Date(0);
  moment.setUTCFullYear(year, month - 1, day); // Date.UTC reads the years 0 to 99 as 1900 to 1999
  moment.setUTCHours(hour, minute, second);
  return BigInt(moment.getTime()) * 1000n + BigInt(micro);
}
