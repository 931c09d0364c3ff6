import { useQuery } from "@tanstack/react-query";
import { providersQuery, signInAddress } from "../api/session";

/** Every way to sign in; each comes back to `next`. */
export function SignInLinks({ next }: { next: string }) {
  const { data: providers = [] } = useQuery(providersQuery);
  return (
    <>
      <a className="button primary" href={signInAddress(next)}>
        Sign in
      </a>
      {providers.map((provider) => (
        <a key={provider} className="button" href={signInAddress(next, provider)}>
          Continue with {provider}
        </a>
      ))}
    </>
  );
}
