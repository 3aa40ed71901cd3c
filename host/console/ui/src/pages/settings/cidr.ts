// Networks as the host reads them: an address, or an address and how many of its bits count (10.0.0.0/8).

const OCTET = /^(0|[1-9]\d{0,2})$/;

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => OCTET.test(part) && Number(part) < 256);
}

/** The browser knows how IPv6 addresses are written. */
const isIpv6 = (text: string) => /^[0-9a-f:.]+$/i.test(text) && text.includes(':') && URL.canParse(`http://[${text}]/`);

/** `everybody`: each address there is lies in it, so that anybody could claim to be anybody. */
export type Cidr = 'good' | 'wrong' | 'everybody';

export function checkCidr(text: string): Cidr {
  const [address = '', bits, ...more] = text.trim().split('/');
  const four = isIpv4(address);
  if (more.length > 0 || (!four && !isIpv6(address))) return 'wrong';
  if (bits === undefined) return 'good';
  if (!/^(0|[1-9]\d{0,2})$/.test(bits) || Number(bits) > (four ? 32 : 128)) return 'wrong';
  return bits === '0' ? 'everybody' : 'good';
}
