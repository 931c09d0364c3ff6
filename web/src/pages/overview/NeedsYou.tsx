import { useInfiniteQuery } from "@tanstack/react-query";
import { Link } from "@tanstack/react-router";
import type { ReactNode } from "react";
import { inventoryQuery } from "../../api/inventory";
import { ordersQuery } from "../../api/queries";
import { addDays, type Day } from "../../lib/days";
import { count } from "../../lib/format";
import { Card } from "../../ui/Page";
import pills from "../../ui/stat/stat.module.css";
import { Async } from "../../ui/states/states";
import { runsOut } from "../inventory/inventoryColumns";
import styles from "./overview.module.css";

const FEW_ORDERS = 20;
const BEST_SELLERS = 50;

/** What does not mend itself: orders that wait, stock that ends. */
export function NeedsYou({ day }: { day: Day }) {
  return (
    <Card title="What needs a person">
      <ul className={styles.tasks}>
        <WaitingOrders day={day} />
        <EndingStock />
      </ul>
    </Card>
  );
}

function Task({ isUrgent, number, children }: { isUrgent: boolean; number: string; children: ReactNode }) {
  return (
    <li className={styles.task}>
      <span className={pills.pill} data-kind={isUrgent ? "warn" : "good"}>
        {number}
      </span>
      <span>{children}</span>
    </li>
  );
}

/** A reservation ends within minutes, paid or not: one of yesterday is stuck. */
function WaitingOrders({ day }: { day: Day }) {
  const filter = { status: "RESERVED", to: addDays(day, -1) } as const;
  const answer = useInfiniteQuery(ordersQuery(filter, FEW_ORDERS));
  return (
    <Async answer={answer} height={28}>
      {({ pages: [page] }) => {
        const waiting = page?.data.orders.length ?? 0;
        const number = `${count(waiting)}${page?.page.nextCursor ? "+" : ""}`;
        return (
          <Task isUrgent={waiting > 0} number={number}>
            <Link to="/orders" search={filter}>
              orders of earlier days still await their payment
            </Link>
          </Task>
        );
      }}
    </Async>
  );
}

function EndingStock() {
  const answer = useInfiniteQuery(inventoryQuery({}, BEST_SELLERS));
  return (
    <Async answer={answer} height={28}>
      {({ pages: [page] }) => {
        const ending = page?.data.products.filter((it) => it.available === 0 || runsOut(it)).length ?? 0;
        return (
          <Task isUrgent={ending > 0} number={count(ending)}>
            of the {BEST_SELLERS} products that sell most are gone, or end{" "}
            <Link to="/inventory">within a week</Link>
          </Task>
        );
      }}
    </Async>
  );
}
