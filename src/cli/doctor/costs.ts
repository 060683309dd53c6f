// Doctor's report of costs: what was spent today and this month, by owner, and what is left of the limits.
import type { App } from '../../app.ts'
import { type Config, costLimits } from '../../config/config.ts'
import { formatUsd } from '../../domain/costs/budget.ts'
import { dayOf } from '../../domain/costs/spending.ts'
import { roundUsd } from '../../domain/models/price.ts'

/** US dollars; days and months are those of UTC. */
interface Spent {
  todayUsd: number
  monthUsd: number
}

export interface Costs extends Spent {
  /** US dollars that one order may cost; absent: no limit. */
  orderLimitUsd?: number
  /** US dollars that each owner may spend a day; absent: no limit. */
  dayLimitUsd?: number
  /** `leftTodayUsd` where a day has a limit; orders under way may still spend `heldUsd` of it. */
  owners: (Spent & { owner: string; leftTodayUsd?: number; heldUsd?: number })[]
}

/** Throws `STORE_*`. */
export async function readCosts(
  { jobs }: Pick<App, 'jobs'>,
  config: Config,
  now = Date.now(),
): Promise<Costs> {
  const { orderUsd, dayUsd } = costLimits(config)
  const day = dayOf(now)
  const days = await jobs.spending(day.slice(0, 7))
  const sum = (of: typeof days) => roundUsd(of.reduce((total, { usd }) => total + usd, 0))
  const isToday = (one: (typeof days)[number]) => one.day === day
  const owners = [...new Set(days.map(({ owner }) => owner))].sort().map(owner => {
    const own = days.filter(one => one.owner === owner)
    const todayUsd = sum(own.filter(isToday))
    const held = own.filter(isToday).flatMap(one => Object.values(one.held))
    const heldUsd = roundUsd(held.reduce((total, { usd, until }) => total + (until > now ? usd : 0), 0))
    const left = dayUsd !== undefined && { leftTodayUsd: roundUsd(Math.max(0, dayUsd - todayUsd)) }
    return { owner, todayUsd, monthUsd: sum(own), ...left, ...(heldUsd > 0 && { heldUsd }) }
  })
  return {
    todayUsd: sum(days.filter(isToday)),
    monthUsd: sum(days),
    ...(orderUsd !== undefined && { orderLimitUsd: orderUsd }),
    ...(dayUsd !== undefined && { dayLimitUsd: dayUsd }),
    owners,
  }
}

export function describeCosts({ orderLimitUsd, dayLimitUsd, owners, ...all }: Costs): string {
  const order = orderLimitUsd === undefined ? [] : [`${formatUsd(orderLimitUsd)} an order`]
  const day = dayLimitUsd === undefined ? [] : [`${formatUsd(dayLimitUsd)} a day for each owner`]
  const limits = [...order, ...day].join(' and ')
  const of = ({ todayUsd, monthUsd }: Spent) =>
    `${formatUsd(todayUsd)} today, ${formatUsd(monthUsd)} this month`
  const leftOf = ({ leftTodayUsd, heldUsd }: Costs['owners'][number]) =>
    (leftTodayUsd === undefined ? '' : `, ${formatUsd(leftTodayUsd)} left today`) +
    (heldUsd === undefined ? '' : `, of which ${formatUsd(heldUsd)} are reserved by orders under way`)
  const [first] = owners
  return [
    `${of(all)} (UTC)${owners.length === 1 ? leftOf(first!) : ''}`,
    limits ? `limit ${limits}` : 'no limit',
    ...(owners.length > 1 ? owners.map(one => `${one.owner}: ${of(one)}${leftOf(one)}`) : []),
  ].join('; ')
}
