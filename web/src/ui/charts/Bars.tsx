import {
  Bar,
  BarChart,
  CartesianGrid,
  ReferenceLine,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from "recharts";
import type { ChartPoint, ChartProps } from "./ChartFigure";
import styles from "./charts.module.css";

interface TipProps {
  active?: boolean;
  payload?: readonly { payload?: ChartPoint }[];
  chart: ChartProps;
}

function Tip({ active, payload, chart }: TipProps) {
  const point = payload?.[0]?.payload;
  if (!active || !point) return null;
  return (
    <div className={styles.tip}>
      <strong>{point.title}</strong>
      <ul>
        {chart.series.map(({ name }) => (
          <li key={name}>
            <span>{name}</span>
            <span>{chart.full(point.values[name] ?? 0)}</span>
          </li>
        ))}
      </ul>
    </div>
  );
}

/** Stacked bars, below the line where a value is negative. Loaded when the first chart is shown. */
export default function Bars({ chart }: { chart: ChartProps }) {
  const hasNegative = chart.points.some((point) => Object.values(point.values).some((value) => value < 0));
  return (
    <ResponsiveContainer width="100%" height={chart.height}>
      <BarChart
        data={[...chart.points]}
        stackOffset="sign"
        margin={{ top: 8, right: 4, bottom: 0, left: 0 }}
        title={chart.title}
      >
        <CartesianGrid vertical={false} stroke="var(--line)" />
        <XAxis
          dataKey="label"
          tickLine={false}
          axisLine={{ stroke: "var(--line-strong)" }}
          minTickGap={20}
          tickMargin={8}
        />
        <YAxis tickFormatter={chart.short} tickLine={false} axisLine={false} width={60} tickCount={5} />
        <Tooltip
          content={<Tip chart={chart} />}
          cursor={{ fill: "var(--sunken)" }}
          isAnimationActive={false}
        />
        {hasNegative && <ReferenceLine y={0} stroke="var(--line-strong)" />}
        {chart.series.map(({ name, color }) => (
          <Bar
            key={name}
            name={name}
            dataKey={(point: ChartPoint) => point.values[name] ?? 0}
            fill={color}
            stackId="all"
            maxBarSize={44}
            isAnimationActive={false}
          />
        ))}
      </BarChart>
    </ResponsiveContainer>
  );
}
